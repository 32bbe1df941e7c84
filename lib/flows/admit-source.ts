// Limit L1: a source is charged before anything of its request is read. And who goes on asking after a refusal is known.
import { LIMITS } from '../domain/limits.ts'
import type { Refusal } from '../domain/refusal.ts'
import type { LocalRates, RateLimiter, Taken } from '../ports/rate-limiter.ts'

/** Seconds to wait, or null to go on: at once where the limiter answers at once. */
export const admitSource =
  (rates: RateLimiter, bucket = 'source', rate: readonly [number, number] = LIMITS.sourceRate) =>
  (source: string): Promise<number | null> | number | null => {
    const taken = rates.take(`${bucket} ${source}`, rate)
    return taken instanceof Promise ? taken.then(waitOf) : waitOf(taken)
  }

/** The same where it can be told at once, before a body is read. */
export const admitAtDoor =
  (rates: LocalRates) =>
  (source: string): number | null =>
    waitOf(rates.take(`source ${source}`, LIMITS.sourceRate))

const waitOf = ({ allowed, retryAfterSeconds }: Taken): number | null => (allowed ? null : retryAfterSeconds)

/** The same for those who mirror a log. */
export const admitMirror = (rates: RateLimiter) => admitSource(rates, 'log', LIMITS.logSourceRate)

/** The same for those who report events, who are few and loud. */
export const admitTransmitter = (rates: RateLimiter) => admitSource(rates, 'events', LIMITS.eventRate)

/**
 * Whether a source has been refused for this reason, naming this tenant, more often than LIMITS.promptRefusalRate. Kept by all
 * three: who shares an address with a loud tenant is not known by it, nor what verified by what did not.
 */
export const isHasty =
  (rates: RateLimiter) =>
  async (source: string, tenant: string, { kind }: Refusal): Promise<boolean> =>
    !(await rates.take(`refused ${kind} ${source} ${tenant}`, LIMITS.promptRefusalRate)).allowed
