// The public half of one of our own keys as a JWK, and its name: the thumbprint that is its kid (RFC 7638).
import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import type { OwnAlgorithm } from '../../domain/signing-key.ts'

export type PublicMembers = Readonly<Record<string, string>>

/** From SPKI in DER. */
export const publicKeyOf = (spki: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength), format: 'der', type: 'spki' })

/** The members that make the key, in the order RFC 7638 §3.2 hashes them. */
export const publicMembers = (key: KeyObject): PublicMembers => {
  const jwk = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' })
  if (jwk.kty === 'EC') return { crv: jwk.crv!, kty: jwk.kty, x: jwk.x!, y: jwk.y! }
  if (jwk.kty === 'RSA') return { e: jwk.e!, kty: jwk.kty, n: jwk.n! }
  if (jwk.kty === 'OKP') return { crv: jwk.crv!, kty: jwk.kty, x: jwk.x! }
  throw new TypeError('our own keys are EC, RSA or OKP')
}

/** RFC 7638: SHA-256 over the required members, sorted, without spaces. */
export const thumbprintOf = (members: PublicMembers): string => hash('sha256', JSON.stringify(members), 'base64url')

/** RFC 7518 §3.3-3.4, RFC 8037 §2: the kind of key the algorithm takes. */
export const isOfAlgorithm = (members: PublicMembers, alg: OwnAlgorithm): boolean =>
  alg === 'RS256' ? members['kty'] === 'RSA' : members['crv'] === (alg === 'ES256' ? 'P-256' : 'Ed25519')
