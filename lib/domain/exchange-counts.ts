// What is counted of exchanges for monitoring. Every name counted under is in a table here or in refusal.ts and none comes
// from a request, so no caller can make a series of its own (attacks row 36). Counters, not records: those are the audit
// trail. Pure.
import type { Answer } from './refusal.ts'

/** issued: a token went out. refused: the request, evidence or target was. failed: a bug of ours. */
export type ExchangeOutcome = 'issued' | 'refused' | 'limited' | 'unavailable' | 'failed'

/** Since the process started; `inFlight` is now. */
export type ExchangeCounts = {
  inFlight: number
  readonly exchanges: Record<ExchangeOutcome, number>
  /** Recorded denials by what the caller was told. */
  readonly denials: Record<Answer, number>
}

export const newExchangeCounts = (): ExchangeCounts => ({
  inFlight: 0,
  exchanges: { issued: 0, refused: 0, limited: 0, unavailable: 0, failed: 0 },
  denials: {
    request: 0,
    evidence: 0,
    target: 0,
    scope: 0,
    grant_type: 0,
    dpop: 0,
    caller: 0,
    rights: 0,
    limit: 0,
    unavailable: 0,
  },
})

/** From the HTTP status of the token endpoint. */
export const outcomeOf = (statusCode: number): ExchangeOutcome => {
  if (statusCode === 200) return 'issued'
  if (statusCode === 429) return 'limited'
  if (statusCode === 503) return 'unavailable'
  return statusCode < 500 ? 'refused' : 'failed'
}
