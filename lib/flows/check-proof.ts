// Proof of possession (RFC 9449, issuers.md §0.12): which key, if any, the credential is bound to, and whether the evidence
// allows that; later, whether who calls with a bound token has its key. A thief of what commits to a key has nothing.
import { parseCompactJws } from '../domain/compact-jws.ts'
import { checkDpopProof } from '../domain/dpop.ts'
import { LIMITS } from '../domain/limits.ts'
import { refuse } from '../domain/refusal.ts'
import { ok, type Result } from '../domain/result.ts'
import type { ProofVerifier } from '../ports/evidence.ts'
import type { MintRequest } from '../ports/mint.ts'
import type { Digest } from '../ports/system.ts'
import type { Attested } from './attest-evidence.ts'

export type ProofPorts = { readonly proofs: ProofVerifier; readonly digest: Digest }

export type Proof = {
  /** RFC 7638 thumbprint of the key that signed the proof. */
  readonly thumbprint: string
  /** A proof is good once; the guard is redeemed with the record. */
  readonly guard: { readonly hash: string; readonly keepUntilSeconds: number }
}

/** Refuses: dpop_invalid, proof_required, proof_mismatch. Null: nothing to bind to, and nothing asks for it. */
export const checkProof = (
  ports: ProofPorts,
  request: MintRequest,
  { facts }: Attested,
  nowSeconds: number,
): Result<Proof | null> => {
  const committed = facts.evidence.keyThumbprint
  if (request.dpop === null) {
    const isNeeded = committed !== null || facts.issuer.replay === 'proof'
    return isNeeded ? refuse('proof_required') : ok(null)
  }
  const proven = readProof(ports, request.dpop, nowSeconds)
  if (!proven.ok) return proven
  if (committed !== null && committed !== proven.value.thumbprint) return refuse('proof_mismatch')
  return proven
}

export type SentProof = { readonly proof: string; readonly method: string; readonly url: string }

/** What stands beside an access token (RFC 9449 §7): made by the key the token is bound to, and of this token. Refuses: dpop_invalid. */
export const checkTokenProof = (
  ports: ProofPorts,
  sent: SentProof,
  token: { readonly raw: string; readonly jkt: string },
  nowSeconds: number,
): Result<Proof> => {
  const proven = readProof(ports, sent, nowSeconds)
  if (!proven.ok) return proven
  if (proven.value.thumbprint !== token.jkt) return refuse('dpop_invalid', { problem: 'key' })
  if (proven.value.ath !== ports.digest.sha256(token.raw)) return refuse('dpop_invalid', { problem: 'ath' })
  return proven
}

const readProof = (
  ports: ProofPorts,
  { proof, method, url }: SentProof,
  nowSeconds: number,
): Result<Proof & { readonly ath: string | null }> => {
  const parsed = parseCompactJws(proof)
  if (!parsed.ok) return refuse('dpop_invalid', { problem: parsed.refusal.kind })
  const checked = checkDpopProof(parsed.value, { method, url, nowSeconds })
  if (!checked.ok) return checked
  const { alg, jwk, jti, iat, ath } = checked.value
  const thumbprint = ports.proofs.thumbprint(alg, jwk, parsed.value.signingInput, parsed.value.signature)
  if (thumbprint === null) return refuse('dpop_invalid', { problem: 'signature' })
  const hash = ports.digest.sha256(`dpop\0${thumbprint}\0${jti}`)
  return ok({
    thumbprint,
    guard: { hash, keepUntilSeconds: iat + 2 * LIMITS.dpopProofAgeSecondsMax + LIMITS.leewaySeconds },
    ath,
  })
}
