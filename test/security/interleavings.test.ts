// Mint against revoke, exhaustively (design P4, P5): mint is stopped at each of its await points in turn, a revocation of each
// kind and form is written there, durably, and mint goes on. INVARIANT: what was revoked before the second read of the state
// began is never signed; and a record that was put without a token says so.
import { randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import { describe, expect, onTestFinished, test } from 'vitest'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { replayKeyInput } from '../../lib/domain/assertion-checks.ts'
import { REVOCATION_KINDS, type Revocation, type RevocationKind } from '../../lib/domain/revocation.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import type { MintPorts } from '../../lib/flows/mint-credential.ts'
import type { StateQuery } from '../../lib/ports/grant-store.ts'
import type { MintRequest } from '../../lib/ports/mint.ts'
import { STORES, type Stores } from '../contract/stores.ts'
import { issuerKey } from '../support/evidence.ts'
import { ownKeys } from '../support/own-keys.ts'
import { type WiredMint, wiredMint } from './wired-mint.ts'

const key = issuerKey('RS256')
/** Made once: RSA keys are what a broker costs. */
const OWN = ownKeys()
const ISS = 'https://token.actions.githubusercontent.com'

/** No selector for an access token: cloud sessions are a credential of their own. */
type Kind = Exclude<RevocationKind, 'session'>
const KINDS = (Object.keys(REVOCATION_KINDS) as RevocationKind[]).filter((kind): kind is Kind => kind !== 'session')

/** What of a scene a revocation can name: the credential, the assertion, the key that signs. */
type Named = { readonly jti: string; readonly evidenceJti: string; readonly ownKid: string }

/** Written down by hand, not taken from mint: a selector mint forgets to ask for must fail here. */
const VALUE: { readonly [kind in Kind]: (named: Named) => string } = {
  credential: ({ jti }) => jti,
  assertion: ({ evidenceJti }) => nodeDigest.sha256(replayKeyInput(ISS, evidenceJti, '')),
  subject: () => 'spiffe://acme.example/ci/7654321/production',
  run: () => '987654321',
  project: () => '7654321',
  actor: () => '42',
  issuer: () => 'github',
  issuer_key: () => key.kid,
  own_key: ({ ownKid }) => ownKid,
  grant: () => 'deploy-prod',
  tenant: () => 'acme',
}

type Step = { readonly index: number; readonly name: string }
type Stepper = { at: (step: Step) => Promise<void>; steps: Step[] }

/** Wraps every waiting port of mint: a step before each call begins, and one after it resolved. */
const stepped =
  (stepper: Stepper) =>
  (ports: MintPorts): MintPorts => {
    const step = async (name: string): Promise<void> => {
      const at = { index: stepper.steps.length, name }
      stepper.steps.push(at)
      await stepper.at(at)
    }
    const around =
      <A extends readonly unknown[], R>(
        name: string | ((...args: A) => string),
        call: (...args: A) => R | Promise<R>,
      ) =>
      async (...args: A): Promise<R> => {
        const title = typeof name === 'string' ? name : name(...args)
        await step(`before ${title}`)
        const done = await call(...args)
        await step(`after ${title}`)
        return done
      }
    const { tenants, keys, state, grants } = ports
    return {
      ...ports,
      // Nothing is cached: every place where mint may wait is a place where it does.
      tenants: { peek: () => undefined, current: around('configuration', (tenant) => tenants.current(tenant)) },
      keys: {
        ...keys,
        peek: () => undefined,
        active: around('key', (...args) => keys.active(...args)),
        handle: async (...args) => {
          await step('before handle')
          return keys.handle(...args)
        },
      },
      // The second read is the one after the record was put, whatever it asks for.
      state: {
        peek: () => undefined,
        read: around(
          (_: StateQuery) => (stepper.steps.some(({ name }) => name === 'after put') ? SECOND_READ : 'first read'),
          (query: StateQuery) => state.read(query),
        ),
      },
      grants: {
        put: around('put', (put) => grants.put(put)),
        find: around('find', (...args) => grants.find(...args)),
        putNotIssued: around('put not issued', (outcome) => grants.putNotIssued(outcome)),
      },
    }
  }

const SECOND_READ = 'second read'
const IDEMPOTENCY_KEY = 'k7Vd0pQz1xYw2AbC3dEf4g'

/** One broker over one store. */
type Stage = { readonly broker: WiredMint; readonly stepper: Stepper }
type Scene = Stage & { readonly request: MintRequest; readonly named: Named }

const stageOf = async (open: () => Stores): Promise<Stage> => {
  const stepper: Stepper = { at: async () => undefined, steps: [] }
  const broker = await wiredMint(open(), key, stepped(stepper), OWN)
  onTestFinished(broker.stores.close)
  return { broker, stepper }
}

/** `repeat`: the evidence was redeemed before, and the request is its idempotent repeat, which takes another way to the key. */
const sceneOf = async ({ broker, stepper }: Stage, way: 'first' | 'repeat'): Promise<Scene> => {
  stepper.at = async () => undefined
  const evidenceJti = randomUUID()
  const evidence = broker.assertion({ jti: evidenceJti })
  const idempotencyKey = way === 'repeat' ? IDEMPOTENCY_KEY : null
  const first = broker.request(evidence, { idempotencyKey })
  if (way === 'repeat') expect((await broker.mint(first)).ok).toBe(true)
  stepper.steps = []
  const request = way === 'repeat' ? broker.request(evidence, { idempotencyKey }) : first
  const { kid: ownKid } = await broker.keys.active('acme', 'token', 'ES256')
  return { broker, stepper, request, named: { jti: first.decisionId, evidenceJti, ownKid } }
}

const revocationOf = (kind: Kind, form: 'block' | 'cut', { broker, named }: Scene): Revocation => {
  const nowSeconds = broker.clock.nowSeconds()
  return {
    id: randomUUID(),
    tenant: 'acme',
    kind,
    issuer: REVOCATION_KINDS[kind].scoped ? 'github' : '',
    value: VALUE[kind](named),
    form,
    notBeforeSeconds: form === 'cut' ? nowSeconds + 1 : null,
    reason: 'test',
    by: 'test',
    atSeconds: nowSeconds,
  }
}

/** The next scene on this stage is not hit: blocks are lifted, and the bounds of cuts have passed. */
const undo = async ({ broker }: Stage, { tenant, id, form }: Revocation): Promise<void> => {
  broker.clock.add(2)
  const lift = { tenant, id, by: 'test', reason: 'the scene is over', atSeconds: broker.clock.nowSeconds() }
  expect(await broker.stores.revocations.lift(lift)).toBe(form === 'block')
}

type Run = {
  readonly ok: boolean
  readonly refusal: string | null
  readonly isBeforeSecondRead: boolean
  readonly name: string
}

/** One mint with `write` done at step `index`. */
const runWith = async (scene: Scene, index: number, write: () => Promise<unknown>): Promise<Run> => {
  const { broker, stepper, request } = scene
  let name = 'never reached'
  let isBeforeSecondRead = false
  stepper.at = async (step) => {
    if (step.index !== index) return
    name = step.name
    isBeforeSecondRead = !stepper.steps.some((passed) => passed.name === `after ${SECOND_READ}`)
    await write()
  }
  const before = broker.records.length
  const answer = await broker.mint(request)
  const written = broker.records.slice(before)
  const outcomes = new Set(broker.outcomes.map(({ decisionId }) => decisionId))
  if (answer.ok) {
    expect(
      written.map(({ decisionId }) => outcomes.has(decisionId)),
      'a token has its record',
    ).toEqual([false])
    expect(decodeJwt(answer.credential.accessToken).jti).toBe(scene.named.jti)
  } else {
    expect(JSON.stringify(answer)).not.toContain('accessToken')
    for (const { decisionId } of written) expect(outcomes.has(decisionId), 'an intent says it gave no token').toBe(true)
  }
  return { ok: answer.ok, refusal: answer.ok ? null : answer.refusal.kind, isBeforeSecondRead, name }
}

const stepsOf = async (stage: Stage, way: 'first' | 'repeat'): Promise<readonly string[]> => {
  const { broker, stepper, request } = await sceneOf(stage, way)
  expect((await broker.mint(request)).ok).toBe(true)
  return stepper.steps.map(({ name }) => name)
}

const rows = (['first', 'repeat'] as const).flatMap((way) =>
  KINDS.flatMap((kind) =>
    (REVOCATION_KINDS[kind].always === 'block' ? (['block'] as const) : (['block', 'cut'] as const)).map(
      (form) => [way, form, kind] as const,
    ),
  ),
)

describe.each(STORES)('on %s', (_, open) => {
  describe.each(['first', 'repeat'] as const)('the way of a %s redemption', (way) => {
    test('is: read revocations, put the record, read again, sign; the model sees each of them', async () => {
      const names = await stepsOf(await stageOf(open), way)
      const order = ['after first read', 'before put', 'after put', `before ${SECOND_READ}`, `after ${SECOND_READ}`]
      const places = order.map((name) => names.lastIndexOf(name))
      expect(places).toEqual([...places].sort((a, b) => a - b))
      expect(places).not.toContain(-1)
      expect(names.at(-1)).toBe(`after ${SECOND_READ}`)
    })
  })

  describe('a revocation at every await point', () => {
    test.each(rows)('%s redemption, a %s by %s: nothing is signed once it was written', async (way, form, kind) => {
      const stage = await stageOf(open)
      const steps = await stepsOf(stage, way)
      const late: string[] = []
      for (const index of steps.keys()) {
        const scene = await sceneOf(stage, way)
        const revocation = revocationOf(kind, form, scene)
        const run = await runWith(scene, index, () => stage.broker.stores.revocations.put(revocation))
        const says = `${index}: ${run.name}`
        if (run.isBeforeSecondRead) expect([says, run.ok, run.refusal]).toEqual([says, false, 'revoked'])
        else late.push(run.ok ? 'issued' : 'revoked')
        await undo(stage, revocation)
      }
      // The model bites both ways: a revocation after the last look is too late for mint, and the token's rh is for it.
      expect(late).toEqual(['issued'])
    })
  })

  describe('what does not hit', () => {
    test('a cut whose bound is now spares what is issued now, wherever it is written', async () => {
      const stage = await stageOf(open)
      const steps = await stepsOf(stage, 'first')
      for (const index of steps.keys()) {
        const scene = await sceneOf(stage, 'first')
        const cut = { ...revocationOf('tenant', 'cut', scene), notBeforeSeconds: scene.broker.clock.nowSeconds() }
        expect((await runWith(scene, index, () => scene.broker.stores.revocations.put(cut))).ok).toBe(true)
      }
    })

    test.each(KINDS)('the same block by %s in another tenant, or by another value', async (kind) => {
      const scene = await sceneOf(await stageOf(open), 'first')
      const block = revocationOf(kind, 'block', scene)
      await scene.broker.stores.revocations.put({ ...block, tenant: 'globex' })
      await scene.broker.stores.revocations.put({ ...block, id: randomUUID(), value: `${block.value}x` })
      expect((await runWith(scene, 0, async () => undefined)).ok).toBe(true)
    })
  })

  describe('other things that stop mint, at every await point before the second read', () => {
    const others: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
      'the tenant is removed': async ({ broker }) => {
        await broker.stores.configs.tombstone('acme', broker.clock.nowSeconds(), 'test')
        broker.moveMark()
      },
      'our key is tainted': ({ broker, named }) =>
        broker.stores.keys.move('acme', named.ownKid, 'active', 'tainted', broker.clock.nowSeconds()),
    }

    test.each(Object.keys(others))('%s: nothing is signed after it', async (name) => {
      const steps = await stepsOf(await stageOf(open), 'first')
      for (const index of steps.keys()) {
        // Neither can be undone: each of these scenes has a stage of its own.
        const scene = await sceneOf(await stageOf(open), 'first')
        const run = await runWith(scene, index, () => others[name]!(scene)).catch((error: unknown) => ({
          ok: false,
          refusal: error instanceof Unavailable ? error.kind : expect.fail(String(error)),
          isBeforeSecondRead: true,
          name: scene.stepper.steps[index]!.name,
        }))
        if (run.isBeforeSecondRead) expect([run.name, run.ok]).toEqual([run.name, false])
      }
    })
  })
})
