// The revocation feed (design §6, P6), a page at a time, on demand: read, named by handles, signed with the signal key. What was
// signed a moment ago is served again while nothing has changed; it says itself how old it is. Pages of history are made at a rate a
// tenant, so that whoever asks for one tenant's feed without end costs the others nothing; and none of it costs the verifiers at the head.
import { FEED_SLOT } from '../../domain/key-rotation.ts'
import { LIMITS } from '../../domain/limits.ts'
import { type FeedPage, feedHeader, isLive, pagePart, pageStart } from '../../domain/revocation-feed.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { RateLimiter, Taken } from '../../ports/rate-limiter.ts'
import type { RevocationChanges } from '../../ports/revocation-feed.ts'
import type { TenantDirectory } from '../../ports/tenants.ts'
import type { ClockGuard } from '../guard-clock.ts'
import { type SignalKeyPorts, signalKey } from '../keys/signal-key.ts'

export type FeedPorts = SignalKeyPorts & {
  readonly tenants: TenantDirectory
  readonly changes: RevocationChanges
  readonly clock: Clock
  readonly clockGuard: ClockGuard
  readonly rates: RateLimiter
  /** Default: LIMITS.feedChangesPerPage. */
  readonly changesPerPage?: number
}

/** The page behind a cursor, as a JWS; null: no such tenant. Throws Unavailable. */
export type Feed = (tenant: string, cursor: number) => Promise<string | null>

type Signed = {
  readonly page: string
  readonly head: number
  readonly atSeconds: number
  readonly atMonotonicMs: number
}

export const createFeed = (ports: FeedPorts): Feed => {
  const { clock, changesPerPage = LIMITS.feedChangesPerPage } = ports
  const signed = new Map<string, Signed>()
  const signing = new Map<string, Promise<Signed | Taken>>()
  let chars = 0

  const remember = (name: string, made: Signed): void => {
    if (chars + made.page.length > LIMITS.feedCacheCharsMax) {
      signed.clear()
      chars = 0
    }
    chars += made.page.length - (signed.get(name)?.page.length ?? 0)
    signed.set(name, made)
  }
  /** By both clocks, as everywhere: one of them may stand still or be set. */
  const isFresh = ({ atSeconds, atMonotonicMs }: Signed): boolean =>
    Math.abs(clock.nowSeconds() - atSeconds) < LIMITS.feedReuseSeconds &&
    clock.monotonicMs() - atMonotonicMs < LIMITS.feedReuseSeconds * 1000

  return async (tenant, cursor) => {
    const config = ports.tenants.peek(tenant) ?? (await ports.tenants.current(tenant))
    if (config === null) return null
    // With a clock that is ahead a page would be believed for longer than it is true.
    if (!ports.clockGuard.isTrusted()) throw new Unavailable('clock_untrusted', LIMITS.clockStepSecondsMax)
    const head = await ports.changes.head(tenant)
    // A cursor of the future is of a store that knew more. The verifier sees by seq that this one knows less.
    const since = pageStart(Math.min(cursor, head), head, changesPerPage)
    const name = `${tenant} ${since}`
    const known = signed.get(name)
    if (known !== undefined && known.head === head && isFresh(known)) return known.page
    // Who asks meanwhile, and would see no more than this page has, waits for it.
    const flight = `${name} ${head}`
    const asked = [ports, { tenant, issuerUrl: config.issuerUrl }, since] as const
    const begun = signing.get(flight) ?? (isLive(since, head) ? signPage(...asked) : signInTime(...asked))
    signing.set(flight, begun)
    try {
      const made = await begun
      if (!('page' in made)) {
        // While revocations come faster than pages may: what was true a moment ago, as any cache on the way would give it.
        if (known !== undefined && isFresh(known)) return known.page
        throw new Unavailable('overloaded', made.retryAfterSeconds)
      }
      remember(name, made)
      return made.page
    } finally {
      signing.delete(flight)
    }
  }
}

/**
 * How long to wait instead, where the tenant has had its pages. Anybody may ask for any cursor, and would starve verifiers, who deny
 * everything once their page has run out. So what they live on is never charged: each of the few short pages near the head is signed
 * once for each move of the head, which takes a revocation, and once in feedReuseSeconds. A snapshot may be long: it has a rate of
 * its own, which no history drains, and above it the one of a moment ago is served.
 */
const signInTime = async (...asked: Parameters<typeof signPage>): Promise<Signed | Taken> => {
  const [{ rates }, { tenant }, since] = asked
  const taken = await rates.take(`${since === 0 ? 'snapshot' : 'feed'} ${tenant}`, LIMITS.feedPageRate)
  return taken.allowed ? signPage(...asked) : taken
}

const signPage = async (
  ports: FeedPorts,
  { tenant, issuerUrl }: { readonly tenant: string; readonly issuerUrl: string },
  since: number,
): Promise<Signed> => {
  const { changes, keys, clock } = ports
  // INVARIANT: taken before the read, or a page would claim to know what happened after it.
  const [atSeconds, atMonotonicMs] = [clock.nowSeconds(), clock.monotonicMs()]
  const read = await changes.since(tenant, since, ports.changesPerPage ?? LIMITS.feedChangesPerPage)
  const handles: string[] = []
  for (const { kind, issuer, value } of read.changes) {
    const handle = keys.handle(tenant, kind, issuer, value)
    handles.push(typeof handle === 'string' ? handle : await handle)
  }
  const page: FeedPage = {
    iss: issuerUrl,
    seq: read.head,
    since,
    next: read.next,
    iat: atSeconds,
    exp: atSeconds + LIMITS.feedSeconds,
    ...pagePart(read.changes, handles, since === 0),
  }
  const key = await signalKey(ports, tenant, FEED_SLOT)
  const jws = await keys.signCompact(key, feedHeader(key.alg, key.kid), JSON.stringify(page))
  return { page: jws, head: read.head, atSeconds, atMonotonicMs }
}
