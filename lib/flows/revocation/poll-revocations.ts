// Revocations for receivers that cannot be reached: they fetch their SETs and acknowledge them (RFC 8936). What was acknowledged
// is never given again; everything else always is, what was answered with an error behind the rest.
import type { Call, CallAnswer } from '../../domain/call.ts'
import { LIMITS } from '../../domain/limits.ts'
import { refuse } from '../../domain/refusal.ts'
import { ok, type Result } from '../../domain/result.ts'
import { seqOfJti, setErrorCode } from '../../domain/revocation-set.ts'
import type { ReceiverQueue, SetAnswer } from '../../ports/receivers.ts'
import { asCaller, type Caller, type CallerPorts } from '../authorize-caller.ts'
import { verifyOwnToken } from '../verify-own-token.ts'
import { jtiFor, type SetSource } from './sign-set.ts'
import { isAnyNew, type WaitForChange } from './wait-for-change.ts'

export type PollPorts = CallerPorts & { readonly receivers: ReceiverQueue; readonly source: SetSource }

/** RFC 8936 §2.2. */
export type PollRequest = {
  readonly maxEvents: number | null
  readonly returnImmediately: boolean
  readonly ack: readonly string[]
  /** Error code by jti. */
  readonly setErrs: Readonly<Record<string, string>>
}

export type Polled =
  | { readonly kind: 'not_found' }
  | { readonly kind: 'sets'; readonly sets: Readonly<Record<string, string>>; readonly moreAvailable: boolean }

/** `asked`: null where it is no poll. Throws Unavailable, and then what it acknowledged may be recorded or not. */
export type Poll = (
  call: Call & { readonly receiver: string },
  asked: PollRequest | null,
) => Promise<CallAnswer<Polled>>

/** `waitForChange`: left out where an answer that waits costs more than one that is asked for again. */
export const createPoll =
  (ports: PollPorts, waitForChange: WaitForChange = async () => false): Poll =>
  (call, asked) =>
    asCaller(ports, call, `receive:${call.receiver}`, async (caller) =>
      asked === null
        ? refuse('request_malformed', { problem: 'body' })
        : poll(ports, caller, call.receiver, asked, waitForChange),
    )

const poll = async (
  ports: PollPorts,
  caller: Caller,
  name: string,
  asked: PollRequest,
  waitForChange: WaitForChange,
): Promise<Result<Polled>> => {
  const { config } = caller
  const receiver = config.receivers.find((candidate) => candidate.name === name)
  if (receiver?.type !== 'poll') return ok({ kind: 'not_found' })
  const key = { tenant: config.tenant, name }
  const answers = await answersIn(ports, caller, receiver, asked)
  // Also without any: when it was last here is what tells a receiver that is idle from one that is gone.
  await ports.receivers.answer(key, answers, ports.clock.nowSeconds())
  const max = Math.min(asked.maxEvents ?? LIMITS.pollSetsMax, LIMITS.pollSetsMax)
  let pending = await ports.receivers.pending(key, max + 1)
  if (!isAnyNew(pending) && !asked.returnImmediately && max > 0 && (await waitForChange(key))) {
    // The wait was long: the token may have been revoked meanwhile.
    const still = await verifyOwnToken(ports, config, caller.raw, { atSeconds: ports.clock.nowSeconds() })
    if (!still.ok) return refuse('caller_invalid', { problem: still.refusal.kind })
    pending = await ports.receivers.pending(key, max + 1)
  }
  const signed = await ports.source.sets(config, receiver, pending.slice(0, max))
  const sets = Object.fromEntries(signed.map(({ jti, set }) => [jti, set]))
  return ok({ kind: 'sets', sets, moreAvailable: pending.length > max })
}

/** What is answered of SETs that are this receiver's; of any other jti nothing is known, and nothing told. */
const answersIn = async (
  { receivers, source }: PollPorts,
  { config }: Caller,
  receiver: Extract<Caller['config']['receivers'][number], { type: 'poll' }>,
  { ack, setErrs }: PollRequest,
): Promise<SetAnswer[]> => {
  // Acknowledged last: who does both has it.
  const problems = new Map<string, string | null>(Object.entries(setErrs).map(([jti, err]) => [jti, setErrorCode(err)]))
  for (const jti of ack) problems.set(jti, null)
  const seqs = [...problems.keys()].flatMap((jti) => seqOfJti(jti) ?? [])
  const changes = await receivers.changes(config.tenant, seqs)
  return changes.flatMap((change) => {
    const jti = jtiFor(source, config, receiver, change)
    const problem = problems.get(jti)
    return problem === undefined ? [] : [{ seq: change.seq, jti, problem, status: null, bytes: null }]
  })
}
