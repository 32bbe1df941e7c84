// feed takes each kind of request by the alias of that kind alone: IAM lets discovery, push and rotate ask by the alias, and sees no
// payload. Over a real store and real keys.
import { expect, test } from 'vitest'
import { createHandler } from '../../functions/feed/handler.ts'
import { unlimitedRates } from '../../lib/adapters/memory/rate-limiter.ts'
import { createRevocationChanges } from '../../lib/adapters/sqlite/revocation-changes.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { FEED_SLOT } from '../../lib/domain/key-rotation.ts'
import { rotateKeys } from '../../lib/flows/keys/rotate-keys.ts'
import { createFeed } from '../../lib/flows/revocation/publish-feed.ts'
import { readActivateReply, writeActivateRequest } from '../../lib/wire/activate-invocation.ts'
import { readFeedReply, writeFeedRequest } from '../../lib/wire/feed-invocation.ts'
import { readSetsReply, writeSetsRequest } from '../../lib/wire/sets-invocation.ts'
import { receiverBench, webhook } from '../support/receiver-bench.ts'

const FUNCTION = 'arn:aws:lambda:eu-west-1:111122223333:function:mintmark-prod-feed'
const KINDS = ['page', 'sets', 'activate'] as const
type Kind = (typeof KINDS)[number]

const feedFunction = async () => {
  const bench = await receiverBench([webhook('https://edge.example.com/events')])
  const { keys, ring, state, ports, database } = bench
  const { store, prover, clock, clockGuard } = keys
  await rotateKeys(keys, { tenant: 'acme', needed: [FEED_SLOT] })
  const waiting = await keys.maker.make({ tenant: 'acme', ...FEED_SLOT, nowSeconds: clock.nowSeconds() })
  await store.insert(waiting)
  await bench.block('31337')

  let signed = 0
  const signing: typeof ring = {
    ...ring,
    signCompact: (...args) => {
      signed += 1
      return ring.signCompact(...args)
    },
  }
  const told: string[] = []
  const changes = createRevocationChanges(database)
  const tenants = { ...ports.tenants, peek: () => undefined }
  const feed = createFeed({ keys: signing, state, tenants, changes, clock, clockGuard, rates: unlimitedRates })
  const handler = createHandler({
    open: async () => feed,
    signing: { keys: signing, state, digest: nodeDigest, tenants, receivers: ports.receivers },
    activation: { store, prover, clock, use: 'signal' },
    log: { error: (message: unknown) => told.push(String(message)) } as never,
  })
  const written: Readonly<Record<Kind, string>> = {
    page: writeFeedRequest({ tenant: 'acme', since: 0 }),
    sets: writeSetsRequest({ tenant: 'acme', receiver: 'edge', seqs: [1] }),
    activate: writeActivateRequest({ tenant: 'acme', kid: waiting.kid }),
  }
  return {
    ask: (kind: Kind, invokedFunctionArn: string) => handler(JSON.parse(written[kind]), { invokedFunctionArn }),
    told,
    signed: () => signed,
    isPublished: async () => (await bench.published()).keys.some(({ kid }) => kid === waiting.kid),
  }
}

test('each kind is answered by its own alias: a page for discovery, SETs for push and poll, a key activated for rotate', async () => {
  const { ask, isPublished, told } = await feedFunction()
  const compact = expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  expect(readFeedReply(await ask('page', `${FUNCTION}:page`))).toEqual({ page: compact })
  const set = { jti: expect.any(String), set: compact }
  expect(readSetsReply(await ask('sets', `${FUNCTION}:sets`))).toEqual({ sets: [set] })
  expect(await isPublished()).toBe(false)
  expect(readActivateReply(await ask('activate', `${FUNCTION}:activate`))).toBe(true)
  expect(await isPublished()).toBe(true)
  expect(told).toEqual([])
})

test('a request that came by another alias than that of its kind, or by none, is refused: nothing is signed and no key activated', async () => {
  const { ask, isPublished, signed, told } = await feedFunction()
  const strays = KINDS.flatMap((kind) => {
    const others = KINDS.filter((other) => other !== kind)
    // A version, and what every object has a member of.
    return ['', ':7', ':constructor', ...others.map((other) => `:${other}`)].map((alias) => ({ kind, alias }))
  })
  for (const { kind, alias } of strays)
    await expect(ask(kind, `${FUNCTION}${alias}`), `${kind} by "${alias}"`).rejects.toThrow('payload_invalid')
  expect([signed(), await isPublished(), told.length]).toEqual([0, false, strays.length])
})
