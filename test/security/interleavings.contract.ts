// Mint against revoke, exhaustively (design P4, P5): mint is stopped at each of its await points in turn, a revocation of each
// kind and form is written there, durably, and mint goes on. INVARIANT: what was revoked before the second read of the state
// began is never signed; and a record that was put without a token says so. For any stores: run by interleavings.test.ts in
// memory and by test/aws on DynamoDB.
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { replayKeyInput } from '../../lib/domain/assertion-checks.ts'
import { REVOCATION_KINDS, type Revocation, type RevocationKind } from '../../lib/domain/revocation.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import type { MintPorts } from '../../lib/flows/mint-credential.ts'
import type { StateQuery } from '../../lib/ports/grant-store.ts'
import type { MintRequest } from '../../lib/ports/mint.ts'
import { issuerKey } from '../support/evidence.ts'
import type { OwnKeys } from '../support/own-keys.ts'
import { type MemoryMint, type MintStores, memoryMint } from './memory-mint.ts'

const key = issuerKey('RS256')

/** Stores without grants or revocations. `disposable`: with keys and configuration that nobody else will use afterwards. */
export type OpenStores = (
  lasting: 'shared' | 'disposable',
) => Promise<{ readonly own: OwnKeys; readonly stores: MintStores }>
const JTI = '0b5d2f4e-6a7c-4d1e-9f30-112233445566'
const ISS = 'https://token.actions.githubusercontent.com'

/** No selector for an access token: cloud sessions are a credential of their own. */
type Kind = Exclude<RevocationKind, 'session'>
const KINDS = (Object.keys(REVOCATION_KINDS) as RevocationKind[]).filter((kind): kind is Kind => kind !== 'session')

type Named = { readonly jti: string; readonly ownKid: string }

/** Written down by hand, not taken from mint: a selector mint forgets to ask for must fail here. */
const VALUE: { readonly [kind in Kind]: (named: Named) => string } = {
  credential: ({ jti }) => jti,
  assertion: () => nodeDigest.sha256(replayKeyInput(ISS, JTI, '')),
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

const TAINT = 'our key is tainted'
const SECOND_READ = 'second read'
const IDEMPOTENCY_KEY = 'k7Vd0pQz1xYw2AbC3dEf4g'

type Scene = {
  readonly broker: MemoryMint
  readonly stepper: Stepper
  readonly request: MintRequest
  readonly named: Named
}

/** `repeat`: the evidence was redeemed before, and the request is its idempotent repeat, which takes another way to the key. */
const sceneOf = async (
  open: OpenStores,
  way: 'first' | 'repeat',
  lasting: 'shared' | 'disposable' = 'shared',
): Promise<Scene> => {
  const stepper: Stepper = { at: async () => undefined, steps: [] }
  const { own, stores } = await open(lasting)
  const broker = await memoryMint(key, stepped(stepper), { own, stores })
  const evidence = broker.assertion({ jti: JTI })
  const idempotencyKey = way === 'repeat' ? IDEMPOTENCY_KEY : null
  const first = broker.request(evidence, { idempotencyKey })
  if (way === 'repeat') expect((await broker.mint(first)).ok).toBe(true)
  stepper.steps = []
  const request = way === 'repeat' ? broker.request(evidence, { idempotencyKey }) : first
  const { kid: ownKid } = await broker.own.ring.active('acme', 'token', 'ES256')
  return { broker, stepper, request, named: { jti: first.decisionId, ownKid } }
}

const revocationOf = (kind: Kind, form: 'block' | 'cut', { broker, named }: Scene): Revocation => {
  const nowSeconds = broker.clock.nowSeconds()
  return {
    id: 'r-1',
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
  const before = new Set((await broker.grants.records()).map(({ decisionId }) => decisionId))
  const answer = await broker.mint(request)
  const written = (await broker.grants.records()).filter(({ decisionId }) => !before.has(decisionId))
  const outcomes = new Set((await broker.grants.outcomes()).map(({ decisionId }) => decisionId))
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

const stepsOf = async (open: OpenStores, way: 'first' | 'repeat'): Promise<readonly string[]> => {
  const { broker, stepper, request } = await sceneOf(open, way)
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

/** What mint does around its record: where a store can be wrong, when the flow is known to be right. */
const AROUND_THE_RECORD: ReadonlySet<string> = new Set([
  'after first read',
  'before put',
  'after put',
  `before ${SECOND_READ}`,
  `after ${SECOND_READ}`,
])

/** `points`: a slow engine is stopped around the record only; at every point it would take an hour and show no more. */
export const describeInterleavings = (
  name: string,
  open: OpenStores,
  points: 'every' | 'around the record' = 'every',
): void => {
  const isStop = (step: string): boolean => points === 'every' || AROUND_THE_RECORD.has(step)
  describe(`mint against revoke: ${name}`, () => {
    describe.each(['first', 'repeat'] as const)('the way of a %s redemption', (way) => {
      test('is: read revocations, put the record, read again, sign; the model sees each of them', async () => {
        const names = await stepsOf(open, way)
        const order = ['after first read', 'before put', 'after put', `before ${SECOND_READ}`, `after ${SECOND_READ}`]
        const places = order.map((name) => names.lastIndexOf(name))
        expect(places).toEqual([...places].sort((a, b) => a - b))
        expect(places).not.toContain(-1)
        expect(names.at(-1)).toBe(`after ${SECOND_READ}`)
      })
    })

    describe('a revocation at every await point', () => {
      test.each(rows)('%s redemption, a %s by %s: nothing is signed once it was written', async (way, form, kind) => {
        const steps = await stepsOf(open, way)
        const late: string[] = []
        for (const [index, step] of steps.entries()) {
          if (!isStop(step)) continue
          const scene = await sceneOf(open, way)
          const run = await runWith(scene, index, () => scene.broker.revocations.put(revocationOf(kind, form, scene)))
          const says = `${index}: ${run.name}`
          if (run.isBeforeSecondRead) expect([says, run.ok, run.refusal]).toEqual([says, false, 'revoked'])
          else late.push(run.ok ? 'issued' : 'revoked')
        }
        // The model bites both ways: a revocation after the last look is too late for mint, and the token's rh is for it.
        expect(late).toEqual(['issued'])
      })
    })

    describe('what does not hit', () => {
      test('a cut whose bound is now spares what is issued now, wherever it is written', async () => {
        const steps = await stepsOf(open, 'first')
        for (const [index, step] of steps.entries()) {
          if (!isStop(step)) continue
          const scene = await sceneOf(open, 'first')
          const cut = { ...revocationOf('tenant', 'cut', scene), notBeforeSeconds: scene.broker.clock.nowSeconds() }
          expect((await runWith(scene, index, () => scene.broker.revocations.put(cut))).ok).toBe(true)
        }
      })

      test.each(KINDS)('the same block by %s in another tenant, or by another value', async (kind) => {
        const scene = await sceneOf(open, 'first')
        const block = revocationOf(kind, 'block', scene)
        await scene.broker.revocations.put({ ...block, tenant: 'globex' })
        await scene.broker.revocations.put({ ...block, id: 'r-2', value: `${block.value}x` })
        expect((await runWith(scene, 0, async () => undefined)).ok).toBe(true)
      })
    })

    describe('other things that stop mint, at every await point before the second read', () => {
      const others: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
        'the tenant is removed': async ({ broker }) => {
          await broker.configs.tombstone('acme', broker.clock.nowSeconds(), 'test')
          broker.moveMark()
        },
        [TAINT]: ({ broker, named }) =>
          broker.own.store.move('acme', named.ownKid, 'active', 'tainted', broker.clock.nowSeconds()),
      }

      test.each(Object.keys(others))('%s: nothing is signed after it', async (name) => {
        const steps = await stepsOf(open, 'first')
        for (const [index, step] of steps.entries()) {
          if (!isStop(step)) continue
          const scene = await sceneOf(open, 'first', 'disposable')
          const { stepper } = scene
          const run = await runWith(scene, index, () => others[name]!(scene)).catch((error: unknown) => ({
            ok: false,
            refusal: error instanceof Unavailable ? error.kind : expect.fail(String(error)),
            isBeforeSecondRead: true,
            name: stepper.steps[index]!.name,
          }))
          if (run.isBeforeSecondRead) expect([run.name, run.ok]).toEqual([run.name, false])
        }
      })
    })
  })
}
