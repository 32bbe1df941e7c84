import { calculateJwkThumbprint } from 'jose'
import { expect, test } from 'vitest'
import { createKeyProver } from '../../../lib/adapters/keys/key-maker.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import type { KeyVault } from '../../../lib/ports/signing-keys.ts'
import { ownKeys } from '../../support/own-keys.ts'

const { maker, prover, vault } = ownKeys()
const make = (alg: 'ES256' | 'RS256' = 'ES256', tenant = 'acme') =>
  maker.make({ tenant, use: 'token', alg, nowSeconds: 7 })

test.each(['ES256', 'RS256'] as const)(
  'a new %s key: kid is its RFC 7638 thumbprint, nothing private is in the clear',
  async (alg) => {
    const key = await make(alg)
    expect(key).toMatchObject({
      tenant: 'acme',
      use: 'token',
      alg,
      state: 'prepared',
      createdAtSeconds: 7,
      provenAtSeconds: null,
      activatedAtSeconds: null,
    })
    expect(key.kid).toBe(await calculateJwkThumbprint({ ...key.publicJwk } as { kty: string }))
    expect(Object.keys(key.publicJwk).sort()).toEqual(alg === 'ES256' ? ['crv', 'kty', 'x', 'y'] : ['e', 'kty', 'n'])
    expect(await prover.proves(key)).toBe(true)
  },
)

test('a key relabelled in its row does not prove: tenant, kid, alg and use are under the seal', async () => {
  const key = await make()
  const other = await make()
  for (const change of [
    { tenant: 'globex' },
    { kid: other.kid },
    { alg: 'RS256' },
    { use: 'log' },
    { sealed: other.sealed },
  ] as const)
    expect(await prover.proves({ ...key, ...change })).toBe(false)
})

test("a planted public key does not prove: whoever writes rows could have verifiers accept a stranger's tokens", async () => {
  const key = await make()
  const stranger = await make()
  expect(await prover.proves({ ...key, publicJwk: stranger.publicJwk })).toBe(false)
  expect(await prover.proves({ ...key, publicJwk: { ...key.publicJwk, d: 'AAAA' } })).toBe(false)
})

test('an outage of the vault is not taken for a bad key: the key stays, the rotation comes back', async () => {
  const key = await make()
  const away: KeyVault = {
    ...vault,
    open: () => Promise.reject(new Unavailable('signing_key_unavailable')),
  }
  await expect(createKeyProver(away).proves(key)).rejects.toThrow(Unavailable)
})
