// Ed25519 signatures of notes (RFC 8032), from raw public keys.
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { VerifyEd25519 } from '../../domain/tlog/signed-note.ts'

export const nodeVerifyEd25519: VerifyEd25519 = (publicKey, message, signature) => {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }
  let key: KeyObject
  try {
    key = createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return false
  }
  return verify(null, message, key, signature)
}
