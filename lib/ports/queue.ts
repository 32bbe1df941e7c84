// Queues between functions. A message is JSON and carries its own id: consumers are idempotent by it, since every queue here
// delivers at least once and in no order. Consuming is the host's: it calls the function with a batch (lib/edge/queue.ts).
// Law L8: a message no attempt can take reaches the quarantine within LIMITS.queueReceivesMax deliveries, whole, and holds up
// neither its group nor another.

export type SendOptions = {
  /** The tenant: shares consumers fairly, so that a flood of one holds up no other. */
  readonly group: string
  /** The id inside the message; a queue may drop what waits under the same one already. */
  readonly dedupe: string
  /** Goes ahead of what waits, of its own group too; a flood of urgent ones leaves the others a share. */
  readonly isUrgent?: boolean
}

export interface Queue {
  /**
   * Durable when it resolves. Throws Unavailable when it cannot tell, and then the message may or may not be there: send it
   * again, unchanged.
   */
  send(message: object, to: SendOptions): Promise<void>
}

export interface Quarantine {
  /** Keeps a message no retry can help, with a constant code why. Durable when it resolves. Throws Unavailable. */
  put(message: { readonly body: string; readonly group: string }, reason: string): Promise<void>
}

/** One delivery of a message, leased until it is settled or LIMITS.queueLeaseMs have passed. */
export type Delivery = {
  readonly id: string
  readonly body: string
  readonly group: string
  /** 1 for the first. */
  readonly attempt: number
}

/** The consuming side, for hosts that poll. On AWS the service does this. */
export interface QueueSource {
  /** Leases up to `max` messages that are due, urgent ones first, groups in turn. What was delivered too often goes to the quarantine instead. */
  receive(max: number): Promise<readonly Delivery[]>
  /** `done` are gone for good, `again` come back after a while, longer each time. A lease that has ended is passed over. */
  settle(done: readonly Delivery[], again: readonly Delivery[]): Promise<void>
}
