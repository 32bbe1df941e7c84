// The end of mint: the record is durable; read again, strongly, what may have moved, and only then sign (design §3.3, P5).
// Whatever stops it is written beside the record as its outcome, so that an intent never passes for a credential.
import { accessTokenHeader } from '../domain/access-token.ts'
import type { Refusal } from '../domain/refusal.ts'
import { ok, type Result } from '../domain/result.ts'
import { hits, type Revocation } from '../domain/revocation.ts'
import { TYPE_ACCESS_TOKEN } from '../domain/token-request.ts'
import { Unavailable } from '../domain/unavailable.ts'
import type { GrantStore, TenantState } from '../ports/grant-store.ts'
import type { IssuedCredential, MintAnswer } from '../ports/mint.ts'
import { contextOfAttested } from './attest-evidence.ts'
import { openSession, type SessionPorts } from './open-session.ts'
import type { Intent } from './prepare-credential.ts'

export type SignPorts = SessionPorts & {
  readonly grants: GrantStore
  readonly state: TenantState
  /** Crash points for fault tests (attacks §5); absent in every production wiring. */
  readonly failpoint?: (name: 'K0' | 'K2' | 'K3') => void
}

/** An intent whose record was put: where, and until when it is kept. */
export type Recorded = { readonly intent: Intent; readonly guard: string; readonly keepUntilSeconds: number }

type MovedSince = (version: number | null) => Promise<Refusal | null> | Refusal | null

/** `movedSince`: what to say when the configuration version is no longer the one the intent was made under. */
export const signRecorded = async (
  ports: SignPorts,
  recorded: Recorded,
  movedSince: MovedSince,
): Promise<MintAnswer> => {
  const { intent } = recorded
  let refusal: Refusal | null
  try {
    refusal = await lastLook(ports, intent, movedSince)
    if (refusal === null) {
      const issued = issue(ports, intent)
      // Awaited only where another service signs or opens a session: a token signed here answers at once.
      const result = issued instanceof Promise ? await issued : issued
      if (result.ok) return { ok: true, credential: result.value }
      refusal = result.refusal
    }
  } catch (error) {
    const unavailable =
      error instanceof Unavailable ? error : new Unavailable('signing_key_unavailable', 2, { cause: error })
    // When the store itself is down this cannot be written either: the intent alone is honest, it never claims a token.
    await writeNotIssued(ports, recorded, { kind: unavailable.kind }).catch(() => undefined)
    throw unavailable
  }
  await writeNotIssued(ports, recorded, refusal)
  return { ok: false, refusal, context: contextOfAttested(intent.attested) }
}

const lastLook = async (
  ports: SignPorts,
  { request, selectors, key, record }: Intent,
  movedSince: MovedSince,
): Promise<Refusal | null> => {
  const query = { tenant: request.tenant, selectors, kid: key.kid, asksConfig: true }
  const state = await ports.state.read(query)
  const moved = firstHit(state.revocations, record.credential.iat) ?? movedSince(state.configVersion)
  const stopped = moved instanceof Promise ? await moved : moved
  if (stopped !== null || state.keyState === 'active') return stopped
  ports.keys.invalidate(request.tenant)
  // A key that just began to retire stays published longer than this token can live; in any other state it must not sign.
  if (state.keyState === 'retiring') return null
  return { kind: 'signing_key_unavailable', detail: { kid: key.kid, state: state.keyState } }
}

/** The first revocation in force for something issued at `issuedAtSeconds`, as a refusal. */
export const firstHit = (revocations: readonly Revocation[], issuedAtSeconds: number): Refusal | null => {
  const hit = revocations.find((revocation) => hits(revocation, issuedAtSeconds))
  return hit ? { kind: 'revoked', detail: { kind: hit.kind, value: hit.value, revocation: hit.id } } : null
}

const writeNotIssued = (ports: SignPorts, recorded: Recorded, refusal: Refusal): Promise<void> => {
  const { intent, guard, keepUntilSeconds } = recorded
  const { decisionId, tenant } = intent.record
  const outcome = { decisionId, tenant, atSeconds: ports.clock.nowSeconds(), refusal }
  return ports.grants.putNotIssued({ outcome, guard, keepUntilSeconds })
}

type Issued = Result<IssuedCredential>

const issue = (ports: SignPorts, intent: Intent): Issued | Promise<Issued> => {
  const { key, payload, choice } = intent
  if (choice.entry.type !== 'access_token') return openSession(ports, intent, choice.entry)
  const signed = ports.keys.signCompact(key, accessTokenHeader(key.alg, key.kid), payload)
  return typeof signed === 'string'
    ? accessToken(ports, intent, signed)
    : signed.then((late) => accessToken(ports, intent, late))
}

const accessToken = (ports: SignPorts, { record, proof }: Intent, signed: string): Issued => {
  ports.failpoint?.('K3')
  return ok({
    accessToken: signed,
    issuedTokenType: TYPE_ACCESS_TOKEN,
    tokenType: proof === null ? 'Bearer' : 'DPoP',
    expiresInSeconds: Math.max(0, record.credential.exp - ports.clock.nowSeconds()),
    scope: record.credential.scope,
  })
}
