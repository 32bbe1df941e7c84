// What an operator sees of a receiver of revocations. Pure.

export type ReceiverState = {
  readonly tenant: string
  readonly name: string
  readonly type: 'webhook' | 'poll'
  /** Changes it has not taken, and since when the oldest of them waits. */
  readonly pending: number
  readonly oldestAtSeconds: number | null
  /** Of these, SETs it answered with an error. */
  readonly refused: number
  /** As many numbers are open as its row holds: an answer that would leave more open counts for nothing, until it takes some. */
  readonly full: boolean
  /** Attempts that failed since it took one. */
  readonly attempts: number
  /** The last time it was sent one, or asked. `problem`: null, all was well; else a code of ours or a registered one. */
  readonly last: {
    readonly atSeconds: number
    readonly problem: string | null
    readonly status: number | null
    readonly bytes: number | null
  } | null
}
