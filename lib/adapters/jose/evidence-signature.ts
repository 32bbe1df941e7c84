// Signatures of evidence and of proofs: synchronous node:crypto with a bare KeyObject, imported once. An options object, or
// an import, on this path costs as much again as the verification; only PSS cannot do without one. Never throws for what
// was signed or sent; a key that jwk-policy.ts let through and OpenSSL does not import is a bug.
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { thumbprintInput } from '../../domain/dpop.ts'
import { fitsAlgorithm, type PublicJwk, readPublicJwk } from '../../domain/jwk-policy.ts'
import type { SignatureAlgorithm } from '../../domain/provider.ts'
import { CURVES, type CurveName, toBigInt } from '../../domain/weierstrass.ts'
import type { ProofVerifier, SignatureVerifier, VerifyKey } from '../../ports/evidence.ts'
import type { Digest } from '../../ports/system.ts'

/** A key with what it may verify; opaque outside this file, and made nowhere else. */
class ImportedKey {
  readonly keyObject: KeyObject
  readonly jwk: PublicJwk
  /** Of RSA: a signature is exactly as long (RFC 8017 §8.1.2). OpenSSL takes one of PSS without its leading zeros as well. */
  readonly modulusBytes: number
  constructor(keyObject: KeyObject, jwk: PublicJwk) {
    this.keyObject = keyObject
    this.jwk = jwk
    this.modulusBytes = Math.ceil((keyObject.asymmetricKeyDetails?.modulusLength ?? 0) / 8)
  }
}

/** Imports a key once, to be kept. Throws for what jwk-policy.ts would not have let through. */
export const importVerifyKey = (jwk: Readonly<Record<string, unknown>>): VerifyKey => {
  const judged = readPublicJwk(jwk as Parameters<typeof readPublicJwk>[0])
  if (typeof judged === 'string') throw new TypeError(`not a usable public key: ${judged}`)
  return new ImportedKey(createPublicKey({ key: judged, format: 'jwk' }), judged)
}

const HASH_OF: Readonly<Record<SignatureAlgorithm, 'sha256' | 'sha384' | 'sha512'>> = {
  RS256: 'sha256',
  RS384: 'sha384',
  RS512: 'sha512',
  PS256: 'sha256',
  PS384: 'sha384',
  PS512: 'sha512',
  ES256: 'sha256',
  ES384: 'sha384',
  ES512: 'sha512',
}

/** Whether the signature over the ASCII signing input is the key's. False also for a key that is not made for `alg`. */
export const verifySignature = (
  alg: SignatureAlgorithm,
  key: VerifyKey,
  signingInput: string,
  signature: Uint8Array,
): boolean => {
  if (!(key instanceof ImportedKey) || !fitsAlgorithm(key.jwk, alg)) return false
  const { keyObject, jwk, modulusBytes } = key
  if (jwk.kty === 'RSA' && signature.length !== modulusBytes) return false
  const data = Buffer.from(signingInput, 'latin1')
  try {
    if (jwk.kty === 'EC') {
      const der = derSignature(signature, jwk.crv)
      return der !== null && verify(HASH_OF[alg], data, keyObject, der)
    }
    if (alg.startsWith('RS')) return verify(HASH_OF[alg], data, keyObject, signature)
    const pss = {
      key: keyObject,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    }
    return verify(HASH_OF[alg], data, pss, signature)
  } catch {
    // What OpenSSL cannot even read is not a signature; there is no other way to fail here, and refusing is safe.
    return false
  }
}

export const nodeSignatureVerifier: SignatureVerifier = { verify: verifySignature }

/**
 * JWS carries r and s as numbers of fixed length (RFC 7518 §3.4), OpenSSL wants DER. Null: another length, as DER itself
 * (row 14), or r or s outside 1..n-1, of which zero was accepted by Java once (CVE-2022-21449, row 12).
 */
const derSignature = (raw: Uint8Array, crv: CurveName): Buffer | null => {
  const { bytes, n } = CURVES[crv]
  if (raw.length !== 2 * bytes) return null
  const halves = [raw.subarray(0, bytes), raw.subarray(bytes)]
  const numbers: number[] = []
  for (const half of halves) {
    const value = toBigInt(half)
    if (value === 0n || value >= n) return null
    let start = 0
    while (half[start] === 0) start += 1
    // DER integers are signed: a leading bit of 1 needs a zero byte before it.
    const digits = (half[start] as number) >= 0x80 ? [0, ...half.subarray(start)] : [...half.subarray(start)]
    numbers.push(0x02, digits.length, ...digits)
  }
  const head = numbers.length < 128 ? [0x30, numbers.length] : [0x30, 0x81, numbers.length]
  return Buffer.from([...head, ...numbers])
}

/** Judges the key of a DPoP proof like an issuer's, verifies the proof with it, and names it by its RFC 7638 thumbprint. */
export const createProofVerifier = (digest: Digest): ProofVerifier => ({
  thumbprint(alg, jwk, signingInput, signature) {
    const judged = readPublicJwk(jwk as Parameters<typeof readPublicJwk>[0])
    if (typeof judged === 'string' || !verifySignature(alg, importVerifyKey(judged), signingInput, signature))
      return null
    return digest.sha256(thumbprintInput(judged))
  },
})
