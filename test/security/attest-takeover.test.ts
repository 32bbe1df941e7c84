// Somebody took over attest and speaks to mint directly (design P9). Whatever is sent, mint believes only what it verified
// itself: never a token, and never a record that would spend or explain anything in a workload's name. What such an attest has
// in its hands to begin with is in attest-ports.test.ts.
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { Attested, attestEvidence } from '../../lib/flows/attest-evidence.ts'
import type { MintRequest } from '../../lib/ports/mint.ts'
import { STORES } from '../contract/stores.ts'
import { issuerKey, signAssertion } from '../support/evidence.ts'
import { ownKeys } from '../support/own-keys.ts'
import { engineWorld, type MemoryMint, memoryMint } from './memory-mint.ts'

const key = issuerKey('RS256')
const attacker = issuerKey('RS256', key.kid)
let broker: MemoryMint
/** Made once: RSA keys are what a broker costs. */
const OWN = ownKeys()

const attestedOf = async (token: string, tenant = 'acme'): Promise<Attested> => {
  const config = await broker.tenants.current(tenant)
  const verified = await attestEvidence(broker.ports, { config: config!, token, nowSeconds: broker.clock.nowSeconds() })
  if (!verified.ok) throw new Error(`not attested: ${verified.refusal.kind}`)
  return verified.attested
}

/** The kind of the refusal; the stores must be as they were. */
const refusalOf = async (request: MintRequest): Promise<string> => {
  const answer = await broker.mint(request).catch((error: unknown) => {
    if (error instanceof Unavailable) return error
    throw error
  })
  expect(await broker.grants.records()).toEqual([])
  expect(await broker.grants.outcomes()).toEqual([])
  expect(JSON.stringify(answer)).not.toContain('accessToken')
  if (answer instanceof Unavailable) return answer.kind
  return answer.ok ? 'ISSUED' : answer.refusal.kind
}

const payloadOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())

const withPayload = (token: string, changes: Record<string, unknown>): string => {
  const [header, , signature] = token.split('.')
  return [
    header,
    Buffer.from(JSON.stringify({ ...payloadOf(token), ...changes })).toString('base64url'),
    signature,
  ].join('.')
}

describe.each(STORES)('on %s', (_, open) => {
  beforeAll(async () => {
    await memoryMint(key, undefined, { own: OWN })
  })
  beforeEach(async () => {
    const { close, ...world } = await engineWorld(open, OWN)
    onTestFinished(close)
    broker = await memoryMint(key, undefined, world)
  })

  test('the evidence these attacks start from is good: sent by an honest attest it gets a token and one record', async () => {
    const token = broker.assertion()
    const answer = await broker.mint(broker.request(token, { attested: await attestedOf(token) }))
    expect([answer.ok, (await broker.grants.records()).length]).toEqual([true, 1])
  })

  describe('an `attested` that attest did not make', () => {
    // The facts are true facts of good evidence, so only the claim to have verified is false; the evidence sent is not good.
    const forgeries: Readonly<Record<string, (real: Attested) => unknown>> = {
      'a plain object with the same facts': ({ facts }) => ({ facts }),
      'a JSON round trip': (real) => JSON.parse(JSON.stringify(real)),
      'a structured clone': ({
        facts: { config, issuer, evidence, wid, evaluations, keyGeneration, raw, claims },
      }) => ({
        facts: { config, issuer, evidence, wid, evaluations, keyGeneration, raw, claims },
        verified: true,
      }),
      'an object with the prototype': ({ facts }) => Object.assign(Object.create(Attested.prototype), { facts }),
      'an object that inherits from a real one': (real) => Object.create(real),
      'a proxy of a real one': (real) => new Proxy(real, {}),
      'a proxy that answers yes to everything': ({ facts }) =>
        new Proxy(
          {},
          {
            get: (_, name) => (name === 'facts' ? facts : true),
            has: () => true,
            getPrototypeOf: () => Attested.prototype,
          },
        ),
      'a class that pretends by name': ({ facts }) => {
        class Attested {
          readonly facts: unknown
          readonly verified = true
          constructor(given: unknown) {
            this.facts = given
          }
          static [Symbol.hasInstance]() {
            return true
          }
        }
        return new Attested(facts)
      },
    }

    test.each(Object.keys(forgeries))('%s verifies nothing: forged evidence beside it is refused', async (name) => {
      const real = await attestedOf(broker.assertion())
      const forged = signAssertion(attacker, payloadOf(real.facts.raw))
      const lie = forgeries[name]!({ ...real, facts: { ...real.facts, raw: forged } } as unknown as Attested)
      const inherited = forgeries[name]!(real)
      expect([Attested.is(lie), Attested.is(inherited)]).toEqual([false, false])
      for (const attested of [lie, inherited])
        expect(await refusalOf(broker.request(forged, { attested }))).toBe('signature_invalid')
    })

    test('a real one of good evidence does not vouch for forged evidence with the same claims', async () => {
      const real = await attestedOf(broker.assertion())
      const forged = signAssertion(attacker, payloadOf(real.facts.raw))
      expect(await refusalOf(broker.request(forged, { attested: real }))).toBe('signature_invalid')
    })

    test('a real one of another assertion, tenant or configuration is not taken for this request', async () => {
      const foreign = broker.assertion({ repository_owner_id: '7777777' }, 'globex')
      const attested = await attestedOf(foreign, 'globex')
      expect(await refusalOf(broker.request(foreign, { attested }))).toBe('audience_mismatch')
      expect(await refusalOf(broker.request(broker.assertion({ ref: 'refs/heads/evil' }), { attested }))).toBe(
        'no_grant_matches',
      )
    })

    test('a real one from before the configuration moved is judged anew under the new one', async () => {
      const token = broker.assertion()
      const attested = await attestedOf(token)
      await broker.configs.tombstone('acme', broker.clock.nowSeconds(), 'test')
      broker.moveMark()
      expect(await refusalOf(broker.request(token, { attested }))).toBe('changed_underway')
    })
  })

  describe('evidence that is not this tenant’s, sent straight to mint', () => {
    const attacks: Readonly<Record<string, readonly [make: () => string, kind: string]>> = {
      "another tenant's evidence": [
        () => broker.assertion({ repository_owner_id: '7777777' }, 'globex'),
        'audience_mismatch',
      ],
      "another customer's evidence with our audience": [
        () => broker.assertion({ repository_owner_id: '7777777' }),
        'tenancy_mismatch',
      ],
      'evidence without the tenancy claim': [
        () => broker.assertion({ repository_owner_id: undefined }),
        'tenancy_missing',
      ],
      'an unregistered issuer': [() => broker.assertion({ iss: 'https://evil.example' }), 'issuer_unknown'],
      'an issuer of ours': [() => broker.assertion({ iss: 'https://sts.mintmark.example/t/acme' }), 'issuer_is_own'],
      'no issuer': [() => broker.assertion({ iss: undefined }), 'issuer_missing'],
      'an expired assertion': [
        () => broker.assertion({ iat: broker.clock.nowSeconds() - 900, exp: broker.clock.nowSeconds() - 600 }),
        'expired',
      ],
      "the attacker's key under the issuer's kid": [() => broker.assertion({}, 'acme', attacker), 'signature_invalid'],
      "the attacker's key under a kid of its own": [
        () => broker.assertion({}, 'acme', issuerKey('RS256', 'attacker')),
        'key_unknown',
      ],
      "the attacker's key in the header": [
        () => signAssertion(attacker, payloadOf(broker.assertion()), { jwk: attacker.jwk }),
        'header_member_forbidden',
      ],
      "the attacker's key set by URL": [
        () => signAssertion(attacker, payloadOf(broker.assertion()), { jku: 'https://evil.example/jwks' }),
        'header_member_forbidden',
      ],
      'no algorithm, no signature': [
        () => `${signAssertion(attacker, payloadOf(broker.assertion()), { alg: 'none' }).split('.', 2).join('.')}.`,
        'token_not_compact',
      ],
      'no algorithm, with a signature': [
        () => signAssertion(attacker, payloadOf(broker.assertion()), { alg: 'none' }),
        'alg_not_allowed',
      ],
      'claims changed under a good signature': [
        () => withPayload(broker.assertion({ ref: 'refs/heads/evil' }), { ref: 'refs/heads/main' }),
        'signature_invalid',
      ],
      'the signature of another assertion': [
        () => {
          const [header, payload] = broker.assertion().split('.')
          return [header, payload, broker.assertion().split('.')[2]].join('.')
        },
        'signature_invalid',
      ],
      'no evidence': [() => '', 'token_not_compact'],
    }

    test.each(Object.keys(attacks))('%s: no token, no record', async (name) => {
      const [make, kind] = attacks[name]!
      expect(await refusalOf(broker.request(make()))).toBe(kind)
    })

    test('for a tenant that does not exist: no token, no record', async () => {
      expect(await refusalOf(broker.request(broker.assertion(), { tenant: 'nobody' }))).toBe('changed_underway')
    })
  })

  describe('good evidence, another target than the grant gives', () => {
    const good = { type: null, audiences: ['https://deploy.acme.example'], scope: null, grant: null }
    const targets: Readonly<Record<string, readonly [target: MintRequest['target'], kind: string]>> = {
      'a made-up audience': [{ ...good, audiences: ['https://nowhere.example'] }, 'target_unknown'],
      'an audience that begins like ours': [
        { ...good, audiences: ['https://deploy.acme.example.evil.example'] },
        'target_unknown',
      ],
      'two audiences': [
        { ...good, audiences: [...good.audiences, 'https://legacy.acme.example'] },
        'target_not_single',
      ],
      'a made-up grant': [{ ...good, grant: 'admin' }, 'grant_not_found'],
      'a grant named like a member of Object': [{ ...good, grant: '__proto__' }, 'grant_not_found'],
      'more scope': [{ ...good, scope: 'deploy:read admin' }, 'scope_exceeds_grant'],
      'a malformed scope': [{ ...good, scope: 'deploy:read\u0000admin' }, 'scope_invalid'],
      'another type of token': [
        { ...good, type: 'urn:ietf:params:oauth:token-type:refresh_token' },
        'parameter_unsupported',
      ],
    }

    test.each(Object.keys(targets))('%s: no token, no record', async (name) => {
      const [target, kind] = targets[name]!
      const token = broker.assertion()
      expect(await refusalOf(broker.request(token, { target, attested: await attestedOf(token) }))).toBe(kind)
    })
  })
})
