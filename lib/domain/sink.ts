// What a sink may say to events, and what an operator is told of it. Of a foreign answer nothing is kept but a class. Pure.

/** Why a sink has not taken events: all that is shown, logged and kept of it. */
export const SINK_TROUBLES = {
  url_refused: 'the URL is not one the broker may call',
  address_refused: 'the name leads to an address the broker may not call (--egress-allow)',
  name_not_resolved: 'the name of the sink is not known',
  connect_timeout: 'no connection in time',
  connect_failed: 'refused, unreachable, or a certificate that does not verify',
  deadline: 'no answer in time',
  interrupted: 'the answer ended early',
  redirect: 'it answers with a redirect, which is not followed',
  status_4xx: 'it answers 4xx: URL, token or index are not right',
  status_429: 'it answers 429: too much for it',
  status_5xx: 'it answers 5xx',
  status_other: 'it answers with a status its protocol does not have',
  not_its_protocol: 'it answers in something else than its protocol, a web page perhaps',
  not_acknowledged: 'it has not said that what was sent is indexed',
  takes_nothing: 'it refuses every event: its configuration, not the events, is looked at',
  unavailable_here: 'the file, the secret or the signing key of the sink cannot be read or written here',
} as const

export type SinkTrouble = keyof typeof SINK_TROUBLES

/** Why a sink can never take one event. */
export const DEAD_LETTER_REASONS = {
  refused: 'the sink says it is not valid',
  mapping_refused: 'it does not fit into the index',
  too_large: 'it is larger than the sink allows',
} as const

export type DeadLetterReason = keyof typeof DEAD_LETTER_REASONS

export type SinkAnswer =
  /** All are its, but those at `refused`. */
  | {
      readonly kind: 'taken'
      readonly refused: readonly { readonly index: number; readonly reason: DeadLetterReason }[]
    }
  /** It cannot take these as they are, and does not say which of them is why. */
  | { readonly kind: 'refused'; readonly reason: DeadLetterReason }
  /** None or some were taken: bring all again. `retryAfterMs`: what it asked for. */
  | { readonly kind: 'later'; readonly trouble: SinkTrouble; readonly retryAfterMs: number | null }

export const TAKEN: SinkAnswer = { kind: 'taken', refused: [] }

export const later = (
  trouble: SinkTrouble,
  retryAfterMs: number | null = null,
): Extract<SinkAnswer, { kind: 'later' }> => ({
  kind: 'later',
  trouble,
  retryAfterMs,
})

/** An event a sink can never take: kept, told of, and sent again when somebody says so. `leaf`: null where it is none. */
export type DeadLetter = { readonly leaf: number | null; readonly canonical: string; readonly reason: DeadLetterReason }

/** One sink as its operator sees it. */
export type SinkStatus = {
  readonly name: string
  readonly type: string
  /** Leaves of the log that it has not taken. */
  readonly backlogLeaves: number
  /** Age of the oldest of them, 0 where there is none. */
  readonly lagSeconds: number
  readonly deliveredAtSeconds: number | null
  /** Null: the last delivery went well. */
  readonly trouble: SinkTrouble | null
  readonly failures: number
  readonly deadLetters: Readonly<Partial<Record<DeadLetterReason, number>>>
}

/** What an operator asks the broker to do with a sink: send a marked event, or its dead letters again. */
export type SinkErrand = {
  readonly id: string
  readonly tenant: string
  readonly sink: string
  readonly kind: 'test' | 'resend'
  /** Null: not done yet. `delivered`: of a test 1, of dead letters those that were taken now. */
  readonly outcome: {
    readonly delivered: number
    readonly refused: number
    readonly trouble: SinkTrouble | null
  } | null
}
