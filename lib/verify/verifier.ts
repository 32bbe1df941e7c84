// Access tokens verified offline by a relying party (RFC 9068 §4; design §6, P6), on Node and on web runtimes: with the tenant's key
// set and its revocation feed. Strict by default: a token that says nothing of its revocation handles, or a view of revocations
// older than the bound, is denied. Nothing is decided by this verifier that the broker could not have told.
import type { JsonValue } from '../domain/claims.ts'
import { parseCompactJws } from '../domain/compact-jws.ts'
import { LIMITS } from '../domain/limits.ts'
import { type OwnToken, readOwnToken } from '../domain/own-token.ts'
import type { Report } from './deviation.ts'
import { type Fetch, requireSecureUrl } from './fetch-text.ts'
import type { Handle } from './handle-table.ts'
import { readHandleList } from './handles.ts'
import { createKeyCache, type KeySetSource, type VerifierClock } from './key-cache.ts'
import { createRevocationView, type RevocationView, type Seen } from './revocation-view.ts'
import { verifies } from './signature.ts'

export type VerifierOptions = {
  /** Issuer URL of the tenant: `https://sts.example.com/t/acme`. */
  readonly issuer: string
  /** What this relying party is called; a token for anybody else is denied. */
  readonly audience: string
  /** Default: `<issuer>/jwks.json`. */
  readonly keys?: KeySetSource
  /** What the feed is signed with. Default: `<issuer>/signal-jwks.json`; never looked for among the keys of tokens. */
  readonly signalKeys?: KeySetSource
  /** Default: `<issuer>/revocations`. */
  readonly feedUrl?: string
  /** How old the view of revocations may be; 60 at most. It also bounds how long an outage of the broker is bridged. */
  readonly boundSeconds?: number
  /** How often the feed is asked, at most. Default: a quarter of the bound. */
  readonly pollSeconds?: number
  /** Default: none, and a restart forgets the highest seq. lib/verify/seen-file.ts keeps it in a file. */
  readonly seen?: Seen
  /** Told of every deviation; default: nobody is. */
  readonly report?: Report
  readonly fetch?: Fetch
  readonly clock?: VerifierClock
}

export type DeniedReason =
  | 'malformed'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'key_unknown'
  | 'signature_invalid'
  | 'expired'
  | 'not_yet_valid'
  | 'revoked'
  /** The view of revocations is older than the bound: nobody is let in. */
  | 'view_stale'
  /** The token is bound to a DPoP key, and no proof by that key was shown, or the other way round. */
  | 'proof_mismatch'

export type VerifiedToken = Pick<OwnToken, 'jti' | 'subject' | 'audience' | 'scope' | 'iat' | 'exp' | 'jkt'> & {
  readonly claims: Readonly<Record<string, JsonValue>>
}

export type Verdict =
  | { readonly ok: true; readonly token: VerifiedToken }
  | { readonly ok: false; readonly reason: DeniedReason }

export type Verifier = {
  /** `thumbprint`: of the key whose DPoP proof came with the request and was verified (RFC 9449 §4.3). */
  readonly verify: (token: string, how?: { readonly thumbprint?: string }) => Promise<Verdict>
  /** Asks the feed now. A service that calls it at start answers its first request at once. */
  readonly refresh: () => Promise<void>
  /** Age of the view in seconds, its seq, how many handles are revoked: for health checks and metrics. */
  readonly status: () => { readonly ageSeconds: number; readonly seq: number; readonly revoked: number }
}

/** Tokens whose signature was verified, for as long as the key set is the same. */
type Known = {
  readonly token: OwnToken
  readonly handles: readonly Handle[]
  readonly verdict: Verdict
  goodAtSeq: number
}
const KNOWN_MAX = 4_000
/** While the feed cannot be had, requests do not queue up behind it. */
const RETRY_MS = 1_000

export const createVerifier = (options: VerifierOptions): Verifier => {
  const { issuer, audience, boundSeconds = LIMITS.feedSeconds, report = () => undefined } = options
  if (!(boundSeconds > 0 && boundSeconds <= LIMITS.feedSeconds)) throw new TypeError('boundSeconds is from 1 to 60')
  const pollMs = (options.pollSeconds ?? boundSeconds / 4) * 1000
  const clock = options.clock ?? { nowMs: () => Date.now(), monotonicMs: () => performance.now() }
  const fetchFrom: Fetch = options.fetch ?? ((url, init) => fetch(url, init))
  const caching = { fetch: fetchFrom, clock, report }
  const keys = createKeyCache({ ...caching, source: options.keys ?? { url: `${issuer}/jwks.json` } })
  const view = createRevocationView({
    ...caching,
    issuer,
    url: requireSecureUrl(options.feedUrl ?? `${issuer}/revocations`),
    keys: createKeyCache({ ...caching, source: options.signalKeys ?? { url: `${issuer}/signal-jwks.json` } }),
    boundSeconds,
    seen: options.seen ?? null,
  })
  const keeper = createKeeper(view, clock, pollMs)
  let known = new Map<string, Known>()
  let generation = 0
  /** Everything but time and revocation, which are looked at anew for each request. */
  const learn = async (raw: string): Promise<Known | DeniedReason> => {
    const parsed = parseCompactJws(raw)
    if (!parsed.ok) return 'malformed'
    const said = readOwnToken(parsed.value, issuer)
    if (!said.ok) return said.refusal.kind === 'issuer_unknown' ? 'wrong_issuer' : 'malformed'
    const token = said.value
    if (token.audience !== audience) return 'wrong_audience'
    const handles = token.handles.length === 0 ? null : readHandleList(token.handles)
    if (handles === null) return 'malformed'
    const before = keys.generation()
    const key = await keys.find(token.kid, token.alg)
    if (key === null) return 'key_unknown'
    if (!(await verifies(key, token.alg, parsed.value.signingInput, parsed.value.signature))) return 'signature_invalid'
    const learned: Known = { token, handles, verdict: yes(token), goodAtSeq: -1 }
    if (before === keys.generation()) remember(raw, learned)
    return learned
  }

  const remember = (raw: string, learned: Known): void => {
    if (generation !== keys.generation() || known.size >= KNOWN_MAX) known = new Map()
    generation = keys.generation()
    known.set(raw, learned)
  }

  const judge = (found: Known, thumbprint: string | undefined): Verdict => {
    const { token, handles, verdict } = found
    const nowSeconds = clock.nowMs() / 1000
    if (nowSeconds >= token.exp) return no('expired')
    if (token.iat > nowSeconds + LIMITS.leewaySeconds) return no('not_yet_valid')
    if (token.jkt !== (thumbprint ?? null)) return no('proof_mismatch')
    if (!view.isCurrent()) return no('view_stale')
    if (found.goodAtSeq !== view.seq()) {
      if (view.isRevoked(handles, token.iat)) return no('revoked')
      found.goodAtSeq = view.seq()
    }
    return verdict
  }

  return {
    async verify(raw, { thumbprint } = {}) {
      const waiting = keeper.keepCurrent()
      if (waiting !== null) await waiting
      const found = (generation === keys.generation() ? known.get(raw) : undefined) ?? (await learn(raw))
      return typeof found === 'string' ? no(found) : judge(found, thumbprint)
    },
    refresh: keeper.ask,
    status: () => ({ ageSeconds: view.ageSeconds(), seq: view.seq(), revoked: view.size() }),
  }
}

/** Asks for the feed when it is time to, without a timer: web runtimes keep none between requests. */
const createKeeper = (view: RevocationView, clock: VerifierClock, pollMs: number) => {
  let askedMs = Number.NEGATIVE_INFINITY
  let asking: Promise<void> | null = null

  /** One at a time; who comes meanwhile waits for the same. */
  const ask = (): Promise<void> => {
    asking ??= view.refresh().finally(() => {
      asking = null
      askedMs = clock.monotonicMs()
    })
    return asking
  }

  return {
    ask,
    /** In the background while the view is current; waited for when it is not, or the first request would be denied. */
    keepCurrent(): Promise<void> | null {
      const sinceMs = clock.monotonicMs() - askedMs
      if (!view.isCurrent()) return asking ?? (sinceMs >= RETRY_MS ? ask() : null)
      if (sinceMs >= pollMs) void ask()
      return null
    },
  }
}

const yes = ({ jti, subject, audience, scope, iat, exp, jkt, claims }: OwnToken): Verdict => ({
  ok: true,
  token: { jti, subject, audience, scope, iat, exp, jkt, claims },
})

const no = (reason: DeniedReason): Verdict => ({ ok: false, reason })
