// The end of mint: the record is durable; read again, strongly, what may have moved, and only then sign (design §3.3, P5).
// Whatever stops it is written beside the record as its outcome, so that an intent never passes for a credential.
import { accessTokenHeader } from '../domain/access-token.ts'
import { encodeBase64urlText } from '../domain/base64url.ts'
import type { GrantRecord } from '../domain/grant-record.ts'
import type { Refusal } from '../domain/refusal.ts'
import { hits, type Revocation, selectorsOf } from '../domain/revocation.ts'
import { Unavailable } from '../domain/unavailable.ts'
import type { Clock } from '../ports/clock.ts'
import type { GrantStore, TenantState } from '../ports/grant-store.ts'
import type { IssuedCredential, MintAnswer } from '../ports/mint.ts'
import type { KeyRing } from '../ports/signing-keys.ts'
import { contextOfAttested } from './attest-evidence.ts'
import type { Intent } from './prepare-credential.ts'

export type SignPorts = {
  readonly grants: GrantStore
  readonly state: TenantState
  readonly keys: KeyRing
  readonly clock: Clock
  /** Crash points for fault tests (attacks §5); absent in every production wiring. */
  readonly failpoint?: (name: 'K0' | 'K2' | 'K3') => void
}

/** `movedSince`: what to say when the configuration version is no longer the one the intent was made under. */
export const signRecorded = async (
  ports: SignPorts,
  intent: Intent,
  movedSince: (version: number | null) => Promise<Refusal | null>,
): Promise<MintAnswer> => {
  let refusal: Refusal | null
  try {
    refusal = await lastLook(ports, intent, movedSince)
    if (refusal === null) {
      const signed = sign(ports, intent)
      // Awaited only where another service signs: a plain string answers at once.
      return { ok: true, credential: signed instanceof Promise ? await signed : signed }
    }
  } catch (error) {
    const unavailable =
      error instanceof Unavailable ? error : new Unavailable('signing_key_unavailable', 2, { cause: error })
    // When the store itself is down this cannot be written either: the intent alone is honest, it never claims a token.
    await writeNotIssued(ports, intent.record, { kind: unavailable.kind }).catch(() => undefined)
    throw unavailable
  }
  await writeNotIssued(ports, intent.record, refusal)
  return { ok: false, refusal, context: contextOfAttested(intent.attested) }
}

const lastLook = async (
  ports: SignPorts,
  { request, facts, key, record }: Intent,
  movedSince: (version: number | null) => Promise<Refusal | null>,
): Promise<Refusal | null> => {
  const state = await ports.state.read({ tenant: request.tenant, selectors: selectorsOf(facts), kid: key.kid })
  const stopped = firstHit(state.revocations, record.credential.iat) ?? (await movedSince(state.configVersion))
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

const writeNotIssued = (ports: SignPorts, { decisionId, tenant }: GrantRecord, refusal: Refusal): Promise<void> =>
  ports.grants.putNotIssued({ decisionId, tenant, atSeconds: ports.clock.nowSeconds(), refusal })

const sign = (ports: SignPorts, intent: Intent): IssuedCredential | Promise<IssuedCredential> => {
  const { key, payload } = intent
  const signingInput = `${encodeBase64urlText(accessTokenHeader(key.alg, key.kid))}.${encodeBase64urlText(payload)}`
  const signature = ports.keys.sign(key, signingInput)
  return typeof signature === 'string'
    ? issued(ports, intent, `${signingInput}.${signature}`)
    : signature.then((late) => issued(ports, intent, `${signingInput}.${late}`))
}

const issued = (ports: SignPorts, { record, proof }: Intent, accessToken: string): IssuedCredential => {
  ports.failpoint?.('K3')
  return {
    accessToken,
    tokenType: proof === null ? 'Bearer' : 'DPoP',
    expiresInSeconds: Math.max(0, record.credential.exp - ports.clock.nowSeconds()),
    scope: record.credential.scope,
  }
}
