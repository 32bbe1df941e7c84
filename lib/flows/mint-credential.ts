// mint: from a request that claims to hold evidence to a signed credential (design §3 step 3, P4, P5, P9). The order is the
// promise: verify - look at revocations - put the grant record, durably - read revocations, configuration and key state
// again, strongly - sign - answer. A record without a token may happen; a token without a record never.
import { type Choice, chooseGrant } from '../domain/decide.ts'
import type { GrantRecord } from '../domain/grant-record.ts'
import { LIMITS } from '../domain/limits.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { ok, type Result } from '../domain/result.ts'
import { type RevocableFacts, selectorsOf } from '../domain/revocation.ts'
import type { IssueEntry, TenantConfig } from '../domain/tenant-config.ts'
import { TYPE_ACCESS_TOKEN, TYPE_AWS_CREDENTIALS } from '../domain/token-request.ts'
import { Unavailable } from '../domain/unavailable.ts'
import type { Mint, MintAnswer, MintRequest } from '../ports/mint.ts'
import type { TenantDirectory } from '../ports/tenants.ts'
import { Attested, type AttestPorts, attestEvidence, contextOfAttested, isValueOfEvidence } from './attest-evidence.ts'
import { checkProof, type ProofPorts } from './check-proof.ts'
import type { ClockGuard } from './guard-clock.ts'
import {
  type FixedClaims,
  factsOfEvidence,
  type Intent,
  type PreparePorts,
  prepareCredential,
  type Redemption,
} from './prepare-credential.ts'
import { type Existing, isRepeat, isSameHolder } from './repeat-redemption.ts'
import { firstHit, type SignPorts, signRecorded } from './sign-recorded.ts'

export type MintPorts = AttestPorts &
  ProofPorts &
  PreparePorts &
  SignPorts & { readonly tenants: TenantDirectory; readonly clockGuard: ClockGuard }

export const createMint = (ports: MintPorts): Mint => ({ mint: (request) => mintCredential(ports, request) })

/** Throws Unavailable where it cannot tell. */
export const mintCredential = async (ports: MintPorts, request: MintRequest): Promise<MintAnswer> => {
  if (!ports.clockGuard.isTrusted()) throw new Unavailable('clock_untrusted', LIMITS.clockStepSecondsMax)
  const nowSeconds = ports.clock.nowSeconds()
  const config = ports.tenants.peek(request.tenant) ?? (await ports.tenants.current(request.tenant))
  if (config === null) throw new Unavailable('changed_underway')
  const stands = stillStands(ports, request, config)
  const verified =
    stands === null
      ? await attestEvidence(ports, { config, token: request.evidence, nowSeconds })
      : { ok: true as const, attested: stands }
  if (!verified.ok) return verified
  const { attested } = verified
  const no = (refusal: Refusal): MintAnswer => ({ ok: false, refusal, context: contextOfAttested(attested) })

  if (request.idempotencyKey !== null && isValueOfEvidence(request.idempotencyKey, attested.facts.claims))
    return no({ kind: 'idempotency_key_invalid' })
  const proof = checkProof(ports, request, attested, nowSeconds)
  if (!proof.ok) return no(proof.refusal)
  const guard = guardOf(ports, request, attested)
  const choice = chooseTarget(ports, attested, request)
  if (!choice.ok) {
    // No oracle: spent or revoked evidence is told so whatever was asked, so both are looked at before the target is. To whoever
    // holds the key it was pinned to it is not spent; what may be revoked is what is known without a target.
    const spent = await ports.grants.find(request.tenant, guard)
    if (spent && !isSameHolder(attested, spent.record, proof.value)) return replayed(attested, spent.record.decisionId)
    return no((await revokedNow(ports, factsOfEvidence(request, attested), nowSeconds)) ?? choice.refusal)
  }

  const redemption = { request, attested, choice: choice.value, proof: proof.value }
  const fixed = { jti: request.decisionId, txn: request.traceId, issuedAtSeconds: nowSeconds }
  const { intent, revoked } = await prepareCurrent(ports, redemption, fixed)
  if (revoked) return no(revoked)
  return record(ports, intent, guard)
}

/**
 * Prepares with a key that is active now: the ring's may have been retired or tainted by another process a moment ago, and
 * that must cost the caller neither its evidence nor a refusal. The look at revocations before the record comes with it.
 */
const prepareCurrent = async (ports: MintPorts, redemption: Redemption, fixed: FixedClaims) => {
  for (let attempt = 0; ; attempt += 1) {
    const intent = await prepareCredential(ports, redemption, fixed)
    const { tenant } = redemption.request
    const query = { tenant, selectors: intent.selectors, kid: intent.key.kid, asksConfig: false }
    const state = (attempt === 0 ? ports.state.peek(query) : undefined) ?? (await ports.state.read(query))
    if (state.keyState === 'active') return { intent, revoked: firstHit(state.revocations, fixed.issuedAtSeconds) }
    ports.keys.invalidate(tenant)
    if (attempt > 0) throw new Unavailable('signing_key_unavailable')
  }
}

/** Puts the record; what is created is signed, what exists is a repeat of the same redemption or a replay. */
const record = async (ports: MintPorts, intent: Intent, guard: string): Promise<MintAnswer> => {
  ports.failpoint?.('K0')
  const put = await ports.grants.put({ record: intent.record, guard, ...onceOf(intent) })
  ports.failpoint?.('K2')
  switch (put.outcome) {
    case 'created':
      return sign(ports, intent, guard)
    case 'proof_replayed':
      return {
        ok: false,
        refusal: { kind: 'dpop_invalid', detail: { problem: 'replayed' } },
        context: contextOfAttested(intent.attested),
      }
    case 'exists':
      return redeemAgain(ports, intent, put)
  }
}

/** What may exist once in the store with a record, and for how long. */
const onceOf = ({ attested, proof }: Intent) => ({
  keepUntilSeconds: keepUntil(attested),
  proofGuard: proof?.guard ?? null,
})

const sign = (ports: MintPorts, intent: Intent, guard: string): Promise<MintAnswer> =>
  signRecorded(ports, { intent, guard, keepUntilSeconds: keepUntil(intent.attested) }, (version) =>
    movedSince(ports, intent, version),
  )

/** Somebody redeemed this evidence before. A further redemption has a record, and so an audit event, of its own. */
const redeemAgain = async (ports: MintPorts, intent: Intent, found: Existing): Promise<MintAnswer> => {
  const { request, attested } = intent
  const again = await furtherOf(ports, intent, found)
  if (again === null) return replayed(attested, found.existing.decisionId)
  const guard = ports.digest.sha256(`${attested.facts.evidence.replayKey}\0${request.decisionId}`)
  const put = await ports.grants.put({ record: again.record, guard, ...onceOf(again) })
  return put.outcome === 'created' ? sign(ports, again, guard) : replayed(attested, found.existing.decisionId)
}

/** What a further redemption would sign: the first token again, or one of its own for the holder of the pinned key. Null: a replay. */
const furtherOf = async (ports: MintPorts, intent: Intent, found: Existing): Promise<Intent | null> => {
  if (isRepeat(intent, found, ports.clock.nowSeconds())) return sameAgain(ports, intent, found.existing)
  return isSameHolder(intent.attested, found.existing, intent.proof) ? intent : null
}

/** Claim by claim the token that was lost on its way; null where it cannot be made any more. */
const sameAgain = async (ports: MintPorts, intent: Intent, first: GrantRecord): Promise<Intent | null> => {
  // A cloud gives no session twice: the same request repeated would be a second identity (design §3, Idempotency).
  if (first.credential.type !== 'access_token') return null
  const { jti, iat: issuedAtSeconds, claimsHash } = first.credential
  const again = await prepareCredential(ports, intent, { jti, txn: first.traceId, issuedAtSeconds })
  return again.record.credential.claimsHash === claimsHash ? again : null
}

const replayed = (attested: Attested, firstDecisionId: string): MintAnswer => ({
  ok: false,
  refusal: { kind: 'replayed', detail: { first: firstDecisionId } },
  context: contextOfAttested(attested, firstDecisionId),
})

const keepUntil = ({ facts }: Attested): number =>
  facts.evidence.exp + LIMITS.leewaySeconds + LIMITS.replayMarkerKeepSeconds

/** In one process the verification attest just made stands, as long as neither configuration nor issuer keys moved since. */
const stillStands = (ports: MintPorts, request: MintRequest, config: TenantConfig): Attested | null => {
  const made = request.attested
  const isUnmoved =
    Attested.is(made) &&
    made.facts.config === config &&
    made.facts.raw === request.evidence &&
    made.facts.keyGeneration === ports.issuerKeys.generation(made.facts.issuer.keys)
  return isUnmoved ? made : null
}

/** The hash that may exist only once. Evidence that may be redeemed again gets one for each redemption, or for each key. */
const guardOf = (ports: MintPorts, request: MintRequest, { facts }: Attested): string => {
  if (facts.issuer.replay !== 'reuse') return facts.evidence.replayKey
  const own = request.idempotencyKey === null ? request.decisionId : `key\0${request.idempotencyKey}`
  return ports.digest.sha256(`${facts.evidence.replayKey}\0${own}`)
}

const TYPES: ReadonlyMap<string, IssueEntry['type']> = new Map([
  [TYPE_ACCESS_TOKEN, 'access_token'],
  [TYPE_AWS_CREDENTIALS, 'aws-credentials'],
])

const chooseTarget = ({ cloudSessions }: MintPorts, { facts }: Attested, { target }: MintRequest): Result<Choice> => {
  const type = TYPES.get(target.type ?? TYPE_ACCESS_TOKEN)
  if (type === undefined || (type === 'aws-credentials' && cloudSessions === undefined))
    return refuse('parameter_unsupported', { parameter: 'requested_token_type' })
  if (target.audiences.length > 1) return refuse('target_not_single', { count: target.audiences.length })
  const scope = parseScope(target.scope)
  if (!scope.ok) return scope
  const audience = target.audiences[0] ?? null
  const choice = chooseGrant(facts.evaluations, { type, audience, scope: scope.value, grant: target.grant })
  if (choice.ok && needsMissingWay(choice.value.entry, cloudSessions)) return refuse('target_unknown', { audience })
  return choice
}

/** A role that is assumed with credentials of the cloud, in a broker that has none. */
const needsMissingWay = (entry: IssueEntry, cloudSessions: MintPorts['cloudSessions']): boolean =>
  entry.type === 'aws-credentials' && entry.via === 'assume-role' && cloudSessions?.assumedRole === null

// RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ), separated by single spaces.
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/

const parseScope = (scope: string | null): Result<readonly string[] | null> => {
  if (scope === null) return ok(null)
  return SCOPE.test(scope) ? ok([...new Set(scope.split(' '))]) : refuse('scope_invalid')
}

const revokedNow = async (
  ports: MintPorts,
  facts: RevocableFacts,
  issuedAtSeconds: number,
): Promise<Refusal | null> => {
  const query = { tenant: facts.tenant, selectors: selectorsOf(facts), kid: null, asksConfig: false }
  const state = await ports.state.read(query)
  return firstHit(state.revocations, issuedAtSeconds)
}

/** Configuration moved between reading it and writing the record: the new one must give the same claims, or nothing is issued. */
const movedSince = (
  ports: MintPorts,
  intent: Intent,
  version: number | null,
): Promise<Refusal | null> | Refusal | null =>
  version === intent.attested.facts.config.version ? null : judgeAnew(ports, intent, version)

const judgeAnew = async (ports: MintPorts, intent: Intent, version: number | null): Promise<Refusal | null> => {
  const current = version === null ? null : await ports.tenants.current(intent.request.tenant)
  if (current === null) return { kind: 'revoked', detail: { kind: 'tenant', value: intent.request.tenant } }
  const { request, record: written } = intent
  const again = await attestEvidence(ports, {
    config: current,
    token: request.evidence,
    nowSeconds: ports.clock.nowSeconds(),
  })
  if (!again.ok) return again.refusal
  const choice = chooseTarget(ports, again.attested, request)
  if (!choice.ok) return choice.refusal
  const fixed = { jti: written.credential.jti, txn: written.traceId, issuedAtSeconds: written.credential.iat }
  const anew = await prepareCredential(ports, { ...intent, attested: again.attested, choice: choice.value }, fixed)
  const isSame = anew.payload === intent.payload && anew.record.credential.exp === written.credential.exp
  return isSame ? null : { kind: 'changed_underway', detail: { version } }
}
