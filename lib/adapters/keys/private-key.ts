// From a row to a private key and back to its public half. What a sealed key belongs to is in its associated data, so that a
// row that was moved, renamed or relabelled does not open.
import { createPrivateKey, createPublicKey, hash, type KeyObject } from 'node:crypto'
import type { SigningKey } from '../../domain/signing-key.ts'
import type { Sealer } from '../../ports/signing-keys.ts'

type Belongs = Pick<SigningKey, 'tenant' | 'kid' | 'alg' | 'use'>

/** JSON, because a separator that may occur in a value would let two rows share one encoding. */
export const keyAssociatedData = ({ tenant, kid, alg, use }: Belongs): string =>
  JSON.stringify(['mintmark signing key 1', tenant, kid, alg, use])

/** Throws when the row was altered, or the master key is another. */
export const unwrapPrivateKey = (sealer: Sealer, key: SigningKey): KeyObject => {
  const der = sealer.open(key.sealed, keyAssociatedData(key))
  try {
    return createPrivateKey({
      key: Buffer.from(der.buffer, der.byteOffset, der.byteLength),
      format: 'der',
      type: 'pkcs8',
    })
  } finally {
    der.fill(0)
  }
}

/** The members that make the key, in the order RFC 7638 §3.2 hashes them. */
export const publicMembers = (key: KeyObject): Readonly<Record<string, string>> => {
  const jwk = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' })
  if (jwk.kty === 'EC') return { crv: jwk.crv!, kty: jwk.kty, x: jwk.x!, y: jwk.y! }
  if (jwk.kty === 'RSA') return { e: jwk.e!, kty: jwk.kty, n: jwk.n! }
  throw new TypeError('our own keys are EC or RSA')
}

/** RFC 7638: SHA-256 over the required members, sorted, without spaces. */
export const thumbprintOf = (members: Readonly<Record<string, string>>): string =>
  hash('sha256', JSON.stringify(members), 'base64url')
