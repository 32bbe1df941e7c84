// attest and mint in one process: the same flows as on AWS, with a call between them instead of an invocation.
import { createHandler as createAttest } from '../../functions/attest/handler.ts'
import { createHandler as createMint } from '../../functions/mint/handler.ts'
import { createProofVerifier, nodeSignatureVerifier } from '../../lib/adapters/jose/evidence-signature.ts'
import { createFairTurns } from '../../lib/adapters/memory/fair-turns.ts'
import { createPauses } from '../../lib/adapters/memory/pauses.ts'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { createGrantStore } from '../../lib/adapters/sqlite/grant-store.ts'
import { nodeDecodeBase64url } from '../../lib/adapters/system/base64url.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import type { HttpDoor, HttpHandler } from '../../lib/edge/http.ts'
import type { createLogger } from '../../lib/edge/logger.ts'
import { tokenDoor } from '../../lib/edge/token-door.ts'
import { tracedEndpoint } from '../../lib/edge/traced-endpoint.ts'
import { admitAtDoor, isHasty } from '../../lib/flows/admit-source.ts'
import { type ExchangePorts, refuseUnread } from '../../lib/flows/exchange-token.ts'
import type { MintPorts } from '../../lib/flows/mint-credential.ts'
import { tracedGrants, tracedKeys, tracedMint } from '../../lib/flows/traced-ports.ts'
import type { CloudSessions } from '../../lib/ports/cloud-sessions.ts'
import type { LocalRates } from '../../lib/ports/rate-limiter.ts'
import type { EvidenceFloor } from '../../lib/ports/recovery.ts'
import type { Tracing } from '../../lib/ports/tracing.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import type { Place } from '../policy/compile-options.ts'
import type { BrokerOptions } from './broker-options.ts'
import type { Ops } from './ops.ts'

type ExchangeOptions = Pick<MintPorts, 'issuerKeys' | 'state' | 'clockGuard'> &
  Pick<ExchangePorts, 'denials' | 'ids' | 'clock'> &
  Pick<BrokerOptions, 'hasLimits' | 'failpoint'> & {
    readonly database: Database
    readonly rates: LocalRates
    readonly tenants: ExchangePorts['tenants']
    readonly place: Place
    /** Not optional here: a store that was recovered must never be wired without it. */
    readonly issuedFloor: EvidenceFloor
    readonly tokenKeys: MintPorts['keys']
    /** Null: none can be had. */
    readonly cloudSessions: CloudSessions | null
    readonly meter: Ops['meter'] | undefined
    readonly tracing: Tracing | undefined
    readonly log: ReturnType<typeof createLogger>
  }

/** What of the evidence both look at: mint believes nothing that attest says. */
const evidenceOf = ({ issuerKeys, issuedFloor, tenants, clock }: ExchangeOptions) => ({
  issuerKeys,
  issuedFloor,
  tenants,
  clock,
  signatures: nodeSignatureVerifier,
  digest: nodeDigest,
  decodeBase64url: nodeDecodeBase64url,
  providers: PROVIDER_CATALOG,
})

const wireMint = (options: ExchangeOptions) => {
  const { database, state, tokenKeys, clockGuard, cloudSessions, failpoint, tracing } = options
  const grants = createGrantStore(database)
  const mint = createMint({
    ...evidenceOf(options),
    proofs: createProofVerifier(nodeDigest),
    grants: tracing === undefined ? grants : tracedGrants(tracing, grants),
    state,
    keys: tracing === undefined ? tokenKeys : tracedKeys(tracing, tokenKeys),
    clockGuard,
    ...(cloudSessions === null ? {} : { cloudSessions }),
    ...(failpoint === undefined ? {} : { failpoint }),
  })
  return tracing === undefined ? mint : tracedMint(tracing, mint)
}

/** `POST /token`, and what is asked of it before its body is read. */
export const wireExchange = (options: ExchangeOptions): { readonly handler: HttpHandler; readonly door: HttpDoor } => {
  const { place, tenants, denials, rates, ids, clock, hasLimits, meter, tracing, log } = options
  const turns = createFairTurns(
    clock,
    hasLimits ? undefined : { tenantMax: Number.POSITIVE_INFINITY, instanceMax: Number.POSITIVE_INFINITY },
  )
  const pauses = createPauses(clock)
  const door = tokenDoor({
    admitSource: admitAtDoor(rates),
    isAbsent: (tenant) => tenants.peek(tenant) === null,
    isTenant: tenants.wasFound,
    pausedFor: pauses.secondsLeft,
    refuseUnread: (request, kind, retryAfterSeconds) => refuseUnread(options, request, kind, retryAfterSeconds),
    newTraceId: ids.traceId,
  })
  const attest = createAttest({
    ports: { ...evidenceOf(options), mint: { mint: wireMint(options) }, denials, rates, ids, turns, meter },
    http: {
      isHasty: isHasty(rates),
      pause: pauses.pause,
      baseUrl: place.baseUrl,
      newTraceId: ids.traceId,
    },
    log,
  })
  const traced = tracing === undefined ? attest : tracedEndpoint(tracing, attest)
  return {
    handler: meter?.countExchanges(traced) ?? traced,
    door: meter?.countRefusedAtDoor(door) ?? door,
  }
}
