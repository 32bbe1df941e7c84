// A SET from bytes to an authentic event (RFC 8417, 8935): shape before source, source before key, key before signature,
// signature before any claim is believed, as evidence is read. Where it is received and again where its order is carried
// out, each time from own reads of the tenant document and of the keys.
import { checkJoseHeader, isOfType, parseCompactJws, type UnverifiedJws } from '../../domain/compact-jws.ts'
import { selectByRules } from '../../domain/event-subject.ts'
import { idFromHash } from '../../domain/recorded-event.ts'
import { refuse } from '../../domain/refusal.ts'
import { ok, type Result } from '../../domain/result.ts'
import { readSecurityEvent, type SecurityEvent } from '../../domain/security-event.ts'
import type { SetSource, TenantConfig } from '../../domain/tenant-config.ts'
import type { IssuerKeys, SignatureVerifier } from '../../ports/evidence.ts'
import type { Digest } from '../../ports/system.ts'
import type { EventReport } from './take-event.ts'

export type SetPorts = {
  readonly issuerKeys: Pick<IssuerKeys, 'find'>
  readonly signatures: SignatureVerifier
  readonly digest: Digest
}

/** Who a SET says it is from. Nothing of it is verified. */
export type ClaimedSet = { readonly source: SetSource; readonly jws: UnverifiedJws; readonly set: string }

/** Refuses: what parseCompactJws does, issuer_missing, issuer_unknown. */
export const sourceOfSet = (config: TenantConfig, set: string): Result<ClaimedSet> => {
  const parsed = parseCompactJws(set)
  if (!parsed.ok) return parsed
  const { iss } = parsed.value.claims
  if (typeof iss !== 'string' || iss === '') return refuse('issuer_missing')
  const source = config.events.find((candidate) => candidate.kind === 'set' && candidate.issuer === iss)
  return source?.kind === 'set' ? ok({ source, jws: parsed.value, set }) : refuse('issuer_unknown')
}

type When = { readonly nowSeconds: number; readonly maxAgeSeconds: number }

/** Refuses: what checkJoseHeader, the key look-up and readSecurityEvent do, signature_invalid. Throws Unavailable. */
export const verifySet = async (
  ports: SetPorts,
  { tenant }: TenantConfig,
  { source, jws, set }: ClaimedSet,
  when: When,
): Promise<Result<EventReport>> => {
  // Named by the token itself: evidence, ID tokens and access tokens of the same issuer are none (RFC 8417 §4.5-4.6).
  if (!isOfType(jws.header, SET_TYP)) return refuse('typ_not_accepted', { typ: jws.header.typ?.slice(0, 64) ?? null })
  const header = checkJoseHeader(jws, { algorithms: source.algorithms, typ: [SET_TYP], headerMembers: [] })
  if (!header.ok) return header
  const { alg, kid } = header.value
  const key = await ports.issuerKeys.find(source.keys, kid, alg)
  if (!key.ok) return key
  if (!ports.signatures.verify(alg, key.value, jws.signingInput, jws.signature)) return refuse('signature_invalid')
  const event = readSecurityEvent(jws.claims, { ...source, ...when })
  if (!event.ok) return event
  const { jti, what } = event.value
  const meaning = meaningOf(source, what)
  if (!meaning.ok) return meaning
  return ok({
    // By iss and jti, as RFC 8417 §2.2 has it: renaming the source in the document makes no old event new.
    id: idFromHash(ports.digest.sha256(JSON.stringify(['set', tenant, source.issuer, jti]))),
    tenant,
    source: source.name,
    event: what.kind === 'unknown' ? 'unknown' : what.name,
    contentHash: ports.digest.sha256(jws.signingInput),
    meaning: meaning.value,
    proof: { kind: 'set', set },
  })
}

const SET_TYP = 'secevent+jwt'

const meaningOf = ({ rules }: SetSource, what: SecurityEvent['what']): Result<EventReport['meaning']> => {
  if (what.kind === 'unknown') return ok({ kind: 'nothing' })
  if (what.kind === 'stream') return ok({ kind: 'acknowledge', isStreamEnding: what.isEnding })
  if (!what.isBad) return ok({ kind: 'acknowledge', isStreamEnding: false })
  const selected = selectByRules(
    rules.filter(({ event }) => event === what.name),
    what.subject,
  )
  if (!selected.ok) return selected
  if (selected.value === null) return ok({ kind: 'nothing' })
  const { rule, value } = selected.value
  return ok({
    kind: 'revoke',
    revoke: rule.kind,
    value: rule.issuer === '' ? value : `${rule.issuer}/${value}`,
    form: rule.form,
  })
}
