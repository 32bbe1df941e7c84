// Signatures of evidence and of proofs: synchronous node:crypto with a bare KeyObject, imported once. An options object, or
// a key import, on this path costs two to three times the verification itself; only PSS cannot do without one.
import { constants, createPublicKey, type JsonWebKey, KeyObject, verify } from 'node:crypto'
import type { JsonObject } from '../../domain/claims.ts'
import { thumbprintInput } from '../../domain/dpop.ts'
import { isFit, type UsableJwk, usableKeys } from '../../domain/jwk-policy.ts'
import type { SignatureAlgorithm } from '../../domain/provider.ts'
import type { ProofVerifier, SignatureVerifier, VerifyKey } from '../../ports/evidence.ts'
import type { Digest } from '../../ports/system.ts'

/** Throws for a point that is not on its curve, and for anything else OpenSSL refuses. */
export const importVerifyKey = (jwk: JsonObject): VerifyKey => createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })

const HASH_OF: Readonly<Record<SignatureAlgorithm, 'sha256' | 'sha384' | 'sha512'>> = {
  RS256: 'sha256', RS384: 'sha384', RS512: 'sha512',
  PS256: 'sha256', PS384: 'sha384', PS512: 'sha512',
  ES256: 'sha256', ES384: 'sha384', ES512: 'sha512',
}
const EC_BYTES: Partial<Record<SignatureAlgorithm, number>> = { ES256: 32, ES384: 48, ES512: 66 }

export const nodeSignatureVerifier: SignatureVerifier = {
  verify(alg, key, signingInput, signature) {
    if (!(key instanceof KeyObject)) return false
    try {
      const data = Buffer.from(signingInput, 'latin1')
      const size = EC_BYTES[alg]
      if (size !== undefined) {
        const der = derOf(signature, size)
        return der !== null && verify(HASH_OF[alg], data, key, der)
      }
      if (alg.startsWith('PS')) {
        return verify(HASH_OF[alg], data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }, signature)
      }
      return verify(HASH_OF[alg], data, key, signature)
    } catch {
      return false
    }
  },
}

/** JWS carries r and s as fixed-length numbers (RFC 7518 §3.4); OpenSSL wants DER. Null: wrong length, or r or s is zero. */
const derOf = (raw: Uint8Array, size: number): Uint8Array | null => {
  if (raw.length !== 2 * size) return null
  const r = derInteger(raw.subarray(0, size))
  const s = derInteger(raw.subarray(size))
  if (r === null || s === null) return null
  const length = r.length + s.length
  const head = length < 128 ? [0x30, length] : [0x30, 0x81, length]
  return Buffer.concat([Buffer.from(head), r, s])
}

const derInteger = (bytes: Uint8Array): Uint8Array | null => {
  let start = 0
  while (start < bytes.length && bytes[start] === 0) start += 1
  if (start === bytes.length) return null // CVE-2022-21449: zero is never a signature
  const digits = bytes.subarray(start)
  const padding = digits[0]! >= 0x80 ? 1 : 0
  const der = new Uint8Array(2 + padding + digits.length)
  der[0] = 0x02
  der[1] = padding + digits.length
  der.set(digits, 2 + padding)
  return der
}

/** Judges the key of a DPoP proof like an issuer's, verifies the proof with it, and names it by its RFC 7638 thumbprint. */
export const createProofVerifier = (digest: Digest): ProofVerifier => ({
  thumbprint(alg, jwk, signingInput, signature) {
    const [usable]: readonly (UsableJwk | undefined)[] = usableKeys({ keys: [{ ...(jwk as JsonObject), kid: 'proof' }] }).keys
    if (usable === undefined || !isFit(usable, alg)) return null
    try {
      if (!nodeSignatureVerifier.verify(alg, importVerifyKey(usable.jwk), signingInput, signature)) return null
    } catch {
      return null
    }
    return digest.sha256(thumbprintInput(usable.jwk))
  },
})
