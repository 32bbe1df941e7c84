// Attestation: raw evidence in, a normalized and judged identity out (design §3 steps 1-2; issuers.md §0 is binding). Both
// attest and mint run it, each from its own reads. The order is that of issuers.md §0: shape before issuer, issuer before
// key, key before signature, signature before any claim is believed.
import { checkClaims, issuerOf, replayKeyInput } from '../domain/assertion-checks.ts'
import type { DecodeBase64url } from '../domain/base64url.ts'
import { checkJoseHeader, parseCompactJws, type UnverifiedJws } from '../domain/compact-jws.ts'
import { evaluateGrants, type GrantEvaluation, verdictsOf } from '../domain/decide.ts'
import { LIMITS } from '../domain/limits.ts'
import { normalize } from '../domain/normalize.ts'
import type { Provider, SignatureAlgorithm } from '../domain/provider.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { ok, type Result } from '../domain/result.ts'
import type { IssuerConfig, TenantConfig } from '../domain/tenant-config.ts'
import { type ProviderName, presentLeaves, type Wid, type WidLeaf, type WidValue } from '../domain/wid.ts'
import type { IssuerKeys, SignatureVerifier } from '../ports/evidence.ts'
import type { DenialContext } from '../ports/mint.ts'
import type { EvidenceFloor } from '../ports/recovery.ts'
import type { Digest } from '../ports/system.ts'

export type AttestPorts = {
  readonly issuerKeys: IssuerKeys
  readonly signatures: SignatureVerifier
  readonly digest: Digest
  /** Left out: by the tables of lib/domain, which every runtime has, at three times the price. */
  readonly decodeBase64url?: DecodeBase64url
  readonly providers: Readonly<Record<ProviderName, Provider>>
  /** Where a store can lose records and recover (design §7). */
  readonly issuedFloor?: EvidenceFloor
}

export type EvidenceFacts = {
  readonly sub: string
  readonly jti: string | null
  readonly iat: number
  readonly exp: number
  readonly alg: SignatureAlgorithm
  readonly kid: string
  /** SHA-256 of the payload part as it was sent. */
  readonly claimsHash: string
  /** SHA-256 of the replay key input: the name under which this evidence is redeemed once. */
  readonly replayKey: string
  /** Thumbprint the evidence commits to (aud#jkt= or cnf.jkt), or null. */
  readonly keyThumbprint: string | null
}

type AttestedFacts = {
  readonly config: TenantConfig
  readonly issuer: IssuerConfig
  readonly evidence: EvidenceFacts
  readonly wid: Wid
  readonly evaluations: readonly GrantEvaluation[]
  /** Generation of the issuer's key set under which the signature was verified. */
  readonly keyGeneration: number
  readonly raw: string
  readonly claims: UnverifiedJws['claims']
}

/**
 * Verified evidence. Only attestEvidence makes one: the private field cannot come from JSON or from an object that merely
 * looks like it, so inside one process mint can tell a verification it need not repeat from a claim to have verified (P9).
 */
export class Attested {
  readonly #verified = true
  readonly facts: AttestedFacts
  private constructor(facts: AttestedFacts) {
    this.facts = Object.freeze(facts) // what was verified is not changed afterwards, not even in one process
  }
  static is(value: unknown): value is Attested {
    return typeof value === 'object' && value !== null && #verified in value
  }
  static async from(ports: AttestPorts, input: AttestInput): Promise<AttestResult> {
    const facts = await attest(ports, input)
    return 'refusal' in facts ? facts : { ok: true, attested: new Attested(facts) }
  }
}

export type AttestInput = {
  readonly config: TenantConfig
  readonly token: string
  readonly nowSeconds: number
  /** Called with the registered issuer's name, or null when it is unknown, before any key is looked up (limit L2). */
  readonly admit?: (issuerName: string | null) => Promise<Refusal | null> | Refusal | null
}

export type AttestResult =
  | { readonly ok: true; readonly attested: Attested }
  | { readonly ok: false; readonly refusal: Refusal; readonly context: DenialContext }

/** Verifies, normalizes and evaluates every candidate grant. Refusals carry what is known so far for the denial record. */
export const attestEvidence = (ports: AttestPorts, input: AttestInput): Promise<AttestResult> =>
  Attested.from(ports, input)

type Known = { issuer: IssuerConfig | null; evidence: EvidenceFacts | null; wid: Wid | null }

const attest = async (ports: AttestPorts, input: AttestInput) => {
  const { config, token } = input
  const known: Known = { issuer: null, evidence: null, wid: null }
  const no = (refusal: Refusal) => ({ ok: false as const, refusal, context: contextOf(config, known) })

  const parsed = parseCompactJws(token, ports.decodeBase64url)
  if (!parsed.ok) return no(parsed.refusal)
  const jws = parsed.value
  const issuer = registeredIssuer(config, issuerOf(jws.claims))
  known.issuer = issuer.ok ? issuer.value : null
  // Awaited only where somebody else counts, or fetches: each await of what is there already is a turn of its own.
  const admitted = input.admit?.(known.issuer?.name ?? null) ?? null
  const notAdmitted = admitted instanceof Promise ? await admitted : admitted
  if (notAdmitted !== null) return no(notAdmitted)
  if (!issuer.ok) return no(issuer.refusal)

  const header = checkJoseHeader(jws, issuer.value)
  if (!header.ok) return no(header.refusal)
  const { alg, kid } = header.value
  // Read before the key: a set that changes in between is then noticed by mint, never missed.
  const keyGeneration = ports.issuerKeys.generation(issuer.value.keys)
  const cached = ports.issuerKeys.peek(issuer.value.keys, kid, alg)
  const key = cached === undefined ? await ports.issuerKeys.find(issuer.value.keys, kid, alg) : ok(cached)
  if (!key.ok) return no(key.refusal)
  if (!ports.signatures.verify(alg, key.value, jws.signingInput, jws.signature))
    return no({ kind: 'signature_invalid', detail: { kid } })

  const issuedFloorSeconds = ports.issuedFloor?.()
  const checked = checkClaims(jws.claims, { ...issuer.value, nowSeconds: input.nowSeconds, issuedFloorSeconds })
  if (!checked.ok) return no(checked.refusal)
  const { sub, jti, iat, exp, keyThumbprint } = checked.value
  const replayKey = ports.digest.sha256(replayKeyInput(issuer.value.issuer, jti, jws.signingInput))
  const claimsHash = ports.digest.sha256(jws.signingInput.slice(jws.signingInput.indexOf('.') + 1))
  known.evidence = { sub, jti, iat, exp, alg, kid, claimsHash, replayKey, keyThumbprint }

  const provider = ports.providers[issuer.value.provider]
  const fits = provider.check?.(jws.claims, issuer.value.issuer) ?? ok(null)
  if (!fits.ok) return no(fits.refusal)
  const normalized = normalize(provider, issuer.value.issuer, jws.claims, issuer.value.mapping)
  if (!normalized.ok) return no(normalized.refusal)
  const wid = normalized.value
  known.wid = wid
  const tenancy = checkTenancy(issuer.value, wid[provider.tenancyLeaf], provider.tenancyLeaf)
  if (!tenancy.ok) return no(tenancy.refusal)

  const evaluations = evaluateGrants(config, issuer.value.name, wid)
  return {
    config,
    issuer: issuer.value,
    evidence: known.evidence,
    wid,
    evaluations,
    keyGeneration,
    raw: token,
    claims: jws.claims,
  }
}

/** `iss` is only a lookup key into the tenant's own closed list, byte for byte (issuers.md §0.1). */
const registeredIssuer = (config: TenantConfig, iss: string | null): Result<IssuerConfig> => {
  if (iss === null) return refuse('issuer_missing')
  const base = config.issuerUrl.slice(0, config.issuerUrl.lastIndexOf('/t/'))
  if (iss === base || iss.startsWith(`${base}/`)) return refuse('issuer_is_own')
  const issuer = config.issuers.find((candidate) => candidate.issuer === iss)
  return issuer ? ok(issuer) : refuse('issuer_unknown', { iss: iss.slice(0, 256) })
}

/** P3: a shared issuer signs for everybody; its tenancy claim must name this tenant's customer. Missing is refused. */
const checkTenancy = (issuer: IssuerConfig, actual: WidValue, leaf: WidLeaf): Result<null> => {
  if (issuer.orgIds === null) return ok(null)
  if (actual === null) return refuse('tenancy_missing', { leaf })
  return issuer.orgIds.includes(String(actual)) ? ok(null) : refuse('tenancy_mismatch', { leaf, actual })
}

const contextOf = (config: TenantConfig, known: Known): DenialContext => ({
  configVersion: config.version,
  verified: known.evidence !== null,
  issuerName: known.issuer?.name ?? null,
  evidence: known.evidence,
  wid: known.wid === null ? null : presentLeaves(known.wid),
  verdicts: null,
  firstDecisionId: null,
})

/** The context of a denial after attestation: everything is known but the outcome. */
export const contextOfAttested = ({ facts }: Attested, firstDecisionId: string | null = null): DenialContext => ({
  configVersion: facts.config.version,
  verified: true,
  issuerName: facts.issuer.name,
  evidence: facts.evidence,
  wid: presentLeaves(facts.wid),
  verdicts: verdictsOf(facts.evaluations),
  firstDecisionId,
})

/** An Idempotency-Key that repeats a value of the evidence is no secret of the caller: anyone who saw the token has it. */
export const isValueOfEvidence = (value: string, claims: unknown, depth = 0): boolean => {
  if (claims === value) return true
  if (typeof claims !== 'object' || claims === null || depth > LIMITS.jsonDepthMax) return false
  return Object.values(claims).some((member) => isValueOfEvidence(value, member, depth + 1))
}
