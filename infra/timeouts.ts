// How long a function may take, and how many may run at once. A callee always gives up before its caller: attest asks trust
// and then mint, events asks trust, discovery, push, poll and rotate ask feed, rotate and deliver ask checkpoint, and the HTTP API gives up after 30 s.
import { LIMITS } from '../lib/domain/limits.ts'
import type { FunctionName } from './names.ts'

export const TIMEOUT_SECONDS: Readonly<Record<FunctionName, number>> = {
  attest: 20,
  mint: 3,
  trust: 15,
  revoke: 20,
  feed: 5,
  audit: 60,
  checkpoint: 50,
  // A run (LIMITS.deliverRunMs), and what a sink that hangs takes behind it.
  deliver: 90,
  // As many rows as a run drops (LIMITS.erasedRowsPerRun), of several logs.
  erase: 900,
  events: 20,
  introspect: 10,
  admin: 20,
  discovery: 10,
  rotate: 60,
  push: 60,
  poll: 15,
}

/** A run that takes its time, and the next: leases of sinks keep them apart. */
const DELIVERS = 2

/**
 * Of the 1,000 an account has. A flood at the front door cannot take what revocation and audit need, nor more of mint than
 * mint has: it has room for every attest, and for rotate; feed has it for every discovery, push and poll, and for rotate. A hundred must stay
 * unreserved.
 */
export const CONCURRENCY: Readonly<Record<FunctionName, number>> = {
  attest: 280,
  mint: 285,
  trust: 20,
  revoke: 20,
  feed: 81,
  audit: 20,
  // A run, the next one where that takes longer than a minute, and rotate; and every webhook that is delivered to at once.
  checkpoint: 3 + DELIVERS * LIMITS.sinksAtOnceMax,
  deliver: DELIVERS,
  erase: 1,
  events: 20,
  introspect: 50,
  admin: 10,
  discovery: 60,
  rotate: 1,
  push: 10,
  poll: 10,
}
