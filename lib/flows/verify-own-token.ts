// One place that believes a token of ours (design §5, RFC 7662 §4): our signature, our times, its own record, and a strong read
// of everything it can be revoked by, ancestors included. Callers of our endpoints, tokens that are introspected and proofs of
// orders all come through here.
import { decodeBase64url } from '../domain/base64url.ts'
import { parseCompactJws } from '../domain/compact-jws.ts'
import type { GrantRecord } from '../domain/grant-record.ts'
import { checkOwnTimes, type OwnToken, readOwnToken } from '../domain/own-token.ts'
import { refuse } from '../domain/refusal.ts'
import { ok, type Result } from '../domain/result.ts'
import { factsOfRecord, hits, selectorsOf } from '../domain/revocation.ts'
import { PUBLISHED_STATES } from '../domain/signing-key.ts'
import type { TenantConfig } from '../domain/tenant-config.ts'
import type { DecisionLookup } from '../ports/decisions.ts'
import type { OwnSignatures, ProofVerifier } from '../ports/evidence.ts'
import type { TenantState } from '../ports/grant-store.ts'
import type { SigningKeyStore } from '../ports/signing-keys.ts'
import type { Digest } from '../ports/system.ts'

export type OwnTokenPorts = {
  readonly keys: Pick<SigningKeyStore, 'list'>
  readonly signatures: OwnSignatures
  /** Of the key a token is bound to. */
  readonly proofs: ProofVerifier
  /** INVARIANT: sees every record whose credential was signed before the call. */
  readonly records: DecisionLookup
  readonly state: Pick<TenantState, 'read'>
  readonly digest: Digest
}

export type LiveToken = { readonly token: OwnToken; readonly record: GrantRecord; readonly raw: string }

/**
 * `atSeconds`: as of when. Now, for whoever calls; for an order from the queue the time it was given, and then what was revoked
 * since does not count, or an order could not be carried out a second time after a crash that revoked its own proof. Refuses
 * what parseCompactJws, readOwnToken and checkOwnTimes refuse, key_unknown, signature_invalid, record_unknown, revoked. Throws
 * Unavailable.
 */
export const verifyOwnToken = async (
  ports: OwnTokenPorts,
  { tenant, issuerUrl }: Pick<TenantConfig, 'tenant' | 'issuerUrl'>,
  raw: string,
  { atSeconds, isPast = false }: { readonly atSeconds: number; readonly isPast?: boolean },
): Promise<Result<LiveToken>> => {
  const parsed = parseCompactJws(raw)
  if (!parsed.ok) return parsed
  const said = readOwnToken(parsed.value, issuerUrl)
  if (!said.ok) return said
  const token = said.value
  const key = (await ports.keys.list(tenant)).find(({ kid, use }) => kid === token.kid && use === 'token')
  if (key === undefined || key.provenAtSeconds === null || key.alg !== token.alg)
    return refuse('key_unknown', { kid: token.kid })
  if (!ports.signatures.verifyOwn(token.alg, key, parsed.value.signingInput, parsed.value.signature))
    return refuse('signature_invalid')
  const timely = checkOwnTimes(token, atSeconds)
  if (!timely.ok) return timely

  // P5 read backwards: what has no record was not issued, whoever signed it.
  const found = await ports.records.find(token.jti, tenant)
  if (found?.kind !== 'allow' || found.notIssued !== null || found.record.credential.claimsHash !== hashOf(ports, raw))
    return refuse('record_unknown', { jti: token.jti })
  const { record } = found
  const query = { tenant, selectors: selectorsOf(factsOfRecord(record)), kid: token.kid, asksConfig: true }
  const state = await ports.state.read(query)
  if (state.configVersion === null) return refuse('revoked', { kind: 'tenant' })
  // A key may have served out its time since the order was given; a tainted one never counts.
  const isUsable = state.keyState !== null && PUBLISHED_STATES.has(state.keyState)
  if (!isUsable && !(isPast && state.keyState === 'retired')) return refuse('key_unknown', { kid: token.kid })
  const hit = state.revocations.find(
    (revocation) => hits(revocation, token.iat) && !(isPast && revocation.atSeconds >= atSeconds),
  )
  if (hit !== undefined) return refuse('revoked', { kind: hit.kind, revocation: hit.id })
  return ok({ token, record, raw })
}

/** SHA-256 of the payload as it was signed, which the record has had since before that. */
const hashOf = ({ digest }: OwnTokenPorts, raw: string): string =>
  digest.sha256(decodeBase64url(raw.split('.')[1] ?? '') ?? new Uint8Array())
