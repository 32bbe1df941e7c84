// New signing keys, and the proof that a stored one is whole: ES256 on P-256, RS256 with 2048 bits (RFC 7518 §3.3-3.4). The
// private half exists in clear only inside this file, between its making and its sealing.
import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { OwnAlgorithm, SigningKey } from '../../domain/signing-key.ts'
import type { KeyMaker, KeyProver, Sealer } from '../../ports/signing-keys.ts'
import { keyAssociatedData, publicMembers, thumbprintOf, unwrapPrivateKey } from './private-key.ts'

const generate = promisify(generateKeyPair)

const newPrivateKey = async (alg: OwnAlgorithm): Promise<KeyObject> =>
  alg === 'ES256'
    ? (await generate('ec', { namedCurve: 'P-256' })).privateKey
    : (await generate('rsa', { modulusLength: 2048, publicExponent: 0x10001 })).privateKey

export const createKeyMaker = (sealer: Sealer): KeyMaker => ({
  async make({ tenant, use, alg, nowSeconds }) {
    const privateKey = await newPrivateKey(alg)
    const publicJwk = publicMembers(privateKey)
    const kid = thumbprintOf(publicJwk)
    const der = privateKey.export({ format: 'der', type: 'pkcs8' })
    try {
      return {
        tenant,
        kid,
        alg,
        use,
        state: 'prepared',
        publicJwk,
        sealed: sealer.seal(der, keyAssociatedData({ tenant, kid, alg, use })),
        createdAtSeconds: nowSeconds,
        provenAtSeconds: null,
        activatedAtSeconds: null,
        endedAtSeconds: null,
      }
    } finally {
      der.fill(0)
    }
  },
})

export const createKeyProver = (sealer: Sealer): KeyProver => ({
  async proves(key: SigningKey) {
    let derived: Readonly<Record<string, string>>
    try {
      derived = publicMembers(unwrapPrivateKey(sealer, key))
    } catch {
      return false
    }
    // The row's public half is not under the seal: whoever could write rows could plant a key of their own to be served.
    const names = Object.keys(derived)
    const isSameKey =
      names.every((name) => key.publicJwk[name] === derived[name]) && Object.keys(key.publicJwk).length === names.length
    return isSameKey && thumbprintOf(derived) === key.kid && fits(key.alg, derived)
  },
})

const fits = (alg: OwnAlgorithm, jwk: Readonly<Record<string, string>>): boolean =>
  alg === 'ES256' ? jwk['crv'] === 'P-256' : jwk['kty'] === 'RSA'
