// Proof of possession (RFC 9449, issuers.md §0.12): which key, if any, the credential is bound to, and whether the evidence
// allows that. A thief of an assertion that commits to a key has nothing.
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
  const parsed = parseCompactJws(request.dpop.proof)
  if (!parsed.ok) return refuse('dpop_invalid', { problem: parsed.refusal.kind })
  const checked = checkDpopProof(parsed.value, { method: request.dpop.method, url: request.dpop.url, nowSeconds })
  if (!checked.ok) return checked
  const { alg, jwk, jti, iat } = checked.value
  const thumbprint = ports.proofs.thumbprint(alg, jwk, parsed.value.signingInput, parsed.value.signature)
  if (thumbprint === null) return refuse('dpop_invalid', { problem: 'signature' })
  if (committed !== null && committed !== thumbprint) return refuse('proof_mismatch')
  const hash = ports.digest.sha256(`dpop\0${thumbprint}\0${jti}`)
  return ok({
    thumbprint,
    guard: { hash, keepUntilSeconds: iat + 2 * LIMITS.dpopProofAgeSecondsMax + LIMITS.leewaySeconds },
  })
}
