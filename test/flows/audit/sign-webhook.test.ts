// What checkpoint signs for deliver, which may be somebody else by now: requests to webhooks of the tenant that is named, and
// nothing that could be taken for a checkpoint of a log.
import { hash } from 'node:crypto'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { createHandler } from '../../../functions/checkpoint/handler.ts'
import { createLocalKeyRing } from '../../../lib/adapters/keys/local-key-ring.ts'
import { createMessageSigner, logJwks, nodeSha256 } from '../../../lib/adapters/keys/log-signer.ts'
import { createMemoryTenantConfigStore } from '../../../lib/adapters/memory/tenant-config-store.ts'
import { parseEgressUrl } from '../../../lib/domain/egress.ts'
import { LOG_SLOT } from '../../../lib/domain/key-rotation.ts'
import { checkpointText, parseCheckpoint } from '../../../lib/domain/tlog/signed-note.ts'
import { rotateKeys } from '../../../lib/flows/keys/rotate-keys.ts'
import type { TenantConfigStore } from '../../../lib/ports/tenants.ts'
import { SCHEDULED } from '../../../lib/wire/lambda-events.ts'
import { signatureBase, signatureHeaders, WEBHOOK_TYPE, webhookTarget } from '../../../lib/wire/message-signature.ts'
import { webhooksIn } from '../../../lib/wire/sinks-on-aws.ts'
import { readWebhookReply } from '../../../lib/wire/webhook-invocation.ts'
import { ownKeys } from '../../support/own-keys.ts'
import { isSignedFor } from '../../support/signed-request.ts'

const URL_OF_ACME = 'https://audit.acme.example/events?from=mintmark'
const BODY = Buffer.from('[{"specversion":"1.0"}]')
const DIGEST = hash('sha256', BODY, 'base64')
const NOTE = checkpointText({ origin: 'sts.example.com/t/acme/log', size: 7, root: nodeSha256(BODY) })

const hook = (url: string) => ({ hook: { type: 'webhook', url } })
const DOCUMENTS: Readonly<Record<string, object>> = {
  acme: {
    sinks: {
      ...hook(URL_OF_ACME),
      local: { type: 'jsonl', path: 'acme-audit.jsonl' },
      siem: { type: 'splunk-hec', url: 'https://siem.acme.example:8088' },
    },
    receivers: { edge: { type: 'webhook', url: 'https://edge.acme.example/revocations' } },
  },
  globex: { sinks: hook('https://audit.globex.example/events') },
  plain: {},
}

const by = (name: string) => ({ invokedFunctionArn: `arn:aws:lambda:eu-west-1:111122223333:function:${name}` })
const WEBHOOK = by('mintmark-prod-checkpoint:webhook')

let keys: ReturnType<typeof ownKeys>
let configs: TenantConfigStore
let runs: number
let call: ReturnType<typeof createHandler>
beforeEach(async () => {
  keys = ownKeys()
  configs = createMemoryTenantConfigStore()
  runs = 0
  for (const tenant of Object.keys(DOCUMENTS)) {
    await apply(tenant, 1, DOCUMENTS[tenant]!)
    await rotateKeys(keys, { tenant, needed: [LOG_SLOT] })
  }
  const ring = createLocalKeyRing({ ...keys, use: 'log' })
  const due = async () => {
    runs += 1
    return []
  }
  call = createHandler({
    ports: { grown: { due }, store: { uncovered: async () => [] }, anchors: [] } as never,
    signing: { configs, webhooksIn, signer: createMessageSigner(keys.store, ring, keys.clock) },
    activation: { ...keys, use: 'log' },
    log: { error: () => undefined } as never,
  })
})

const apply = (tenant: string, version: number, document: object) =>
  configs.put({
    tenant,
    version,
    digest: `${version}`,
    author: 'alice',
    commit: '',
    appliedAtSeconds: 1,
    document: JSON.stringify(document),
    diff: '',
  })

const ask = (request: object, context = WEBHOOK) => call({ webhook: request }, context)
const NOTHING = { signed: null }

test('a request to the webhook of a tenant is signed so that its receiver can verify it, with the key that is published', async () => {
  const reply = readWebhookReply(await ask({ tenant: 'acme', url: URL_OF_ACME, digest: DIGEST }))
  if (reply === null || reply instanceof Error || reply.signed === null) throw new Error('it was not signed')
  const { signature, ...made } = reply.signed
  expect(made.createdSeconds).toBe(keys.clock.nowSeconds())
  const signed = signatureHeaders({ url: URL_OF_ACME, digest: DIGEST, ...made }, signature)
  const headers = { ...signed, 'content-type': WEBHOOK_TYPE }
  const jwks = (await logJwks(keys.store, 'acme')) as never
  expect(isSignedFor(URL_OF_ACME, { headers, bytes: BODY }, jwks)).toBe(true)
  expect(isSignedFor('https://audit.globex.example/events', { headers, bytes: BODY }, jwks)).toBe(false)
  expect(isSignedFor(URL_OF_ACME, { headers, bytes: Buffer.from('[]') }, jwks)).toBe(false)
})

test.each([
  ['a URL of another tenant', 'acme', 'https://audit.globex.example/events'],
  ['the URL of a sink that is not signed', 'acme', 'https://siem.acme.example:8088'],
  ['the URL of a receiver, whose SETs are signed by another', 'acme', 'https://edge.acme.example/revocations'],
  ['the URL with more behind it', 'acme', `${URL_OF_ACME}&x=1`],
  ['the URL without its query', 'acme', 'https://audit.acme.example/events'],
  ['a URL with a line of its own', 'acme', `${URL_OF_ACME}\n"@method": GET`],
  ['a tenant without sinks', 'plain', URL_OF_ACME],
  ['no tenant that there is', 'initech', URL_OF_ACME],
  ['the text of a checkpoint as URL', 'acme', NOTE],
])('%s is not signed for', async (_, tenant, url) => {
  expect(await ask({ tenant, url, digest: DIGEST })).toEqual(NOTHING)
})

test('a webhook that the document names no more, and one of a tenant that was removed, are not signed for', async () => {
  await apply('acme', 2, { sinks: hook('https://new.acme.example/events') })
  expect(await ask({ tenant: 'acme', url: URL_OF_ACME, digest: DIGEST })).toEqual(NOTHING)
  const now = { tenant: 'acme', url: 'https://new.acme.example/events', digest: DIGEST }
  expect(await ask(now)).toMatchObject({ signed: { signature: expect.any(String) } })
  await configs.tombstone('acme', 2, 'alice')
  expect(await ask(now)).toEqual(NOTHING)
})

const ASKED = { tenant: 'acme', url: URL_OF_ACME, digest: DIGEST }
test.each<[string, unknown]>([
  ['the text of a checkpoint', { webhook: { ...ASKED, text: NOTE } }],
  ['the text of a checkpoint in the place of a digest', { webhook: { ...ASKED, digest: NOTE } }],
  ['a digest with a line behind it', { webhook: { ...ASKED, digest: `${DIGEST}\n` } }],
  ['a digest that is hex', { webhook: { ...ASKED, digest: hash('sha256', BODY, 'hex') } }],
  ['a time of its own', { webhook: { ...ASKED, createdSeconds: 1 } }],
  ['a key of its own choice', { webhook: { ...ASKED, kid: 'k1' } }],
  ['a tenant that is none', { webhook: { ...ASKED, tenant: 'acme#x' } }],
  ['two requests', { webhook: ASKED, activate: { tenant: 'acme', kid: 'k' } }],
  ['a text alone', NOTE],
  ['nothing', null],
])('%s is no request to sign', async (_, payload) => {
  await expect(call(payload, WEBHOOK)).rejects.toThrow('payload_invalid')
})

describe('by which alias it comes', () => {
  test.each([
    ['the alias of rotate', by('mintmark-prod-checkpoint:activate')],
    ['no alias', by('mintmark-prod-checkpoint')],
  ])('a request to sign that came by %s is refused', async (_, context) => {
    await expect(ask(ASKED, context)).rejects.toThrow('payload_invalid')
  })

  test('who may ask for a signature can neither activate a key nor have logs signed', async () => {
    const { kid } = (await keys.store.list('acme'))[0]!
    await expect(call({ activate: { tenant: 'acme', kid } }, WEBHOOK)).rejects.toThrow('payload_invalid')
    await expect(call(SCHEDULED, WEBHOOK)).rejects.toThrow('payload_invalid')
    expect(runs).toBe(0)
    await call(SCHEDULED, by('mintmark-prod-checkpoint'))
    expect(runs).toBe(1)
  })
})

test('whatever URL a document may have and whatever the body: what is signed is no text of a checkpoint, and says no other URL', () => {
  const piece = fc.string({ unit: fc.constantFrom(...'aB0."/?&=%#\n\r\t +@:—é'), maxLength: 30 })
  const url = piece.map((rest) => `https://audit.acme.example/${rest}`)
  const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64'))
  fc.assert(
    fc.property(url, digest, fc.nat(), (written, digest, createdSeconds) => {
      fc.pre(parseEgressUrl(written, { ports: 'any', query: true, dev: false }).ok)
      const target = webhookTarget(written)
      const text = signatureBase({ url: target, digest, createdSeconds, kid: 'k' })
      expect(text.startsWith('"@method": POST\n"@target-uri": https://audit.acme.example/')).toBe(true)
      expect(text.split('\n')).toHaveLength(5)
      expect(parseCheckpoint(text)).toBeNull()
      expect(parseCheckpoint(`${text}\n`)).toBeNull()
    }),
  )
  // The other way round: the first line of a checkpoint is the name of its log, which begins with the host of the broker.
  expect(NOTE.startsWith('"')).toBe(false)
})
