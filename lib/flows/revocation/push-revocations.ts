// Revocations are pushed to the webhooks of the tenant documents as SETs (RFC 8935; design P6): one a request, in their order,
// until the receiver has it, however long that takes. One that the receiver refuses is tried again behind the others: what it does
// not understand of one revocation must not keep it from the next. A crash between its answer and the record of it sends the same SET
// again under the same jti. Each receiver is alone: one that is down, slow or hostile holds up itself.
import { backoffMs } from '../../domain/backoff.ts'
import { LIMITS } from '../../domain/limits.ts'
import { SET_REFUSALS, setErrorCode } from '../../domain/revocation-set.ts'
import type { ReceiverRule, TenantConfig } from '../../domain/tenant-config.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import { decodeUtf8 } from '../../domain/utf8.ts'
import type { Clock } from '../../ports/clock.ts'
import type { OutboundHttp, OutboundResult } from '../../ports/outbound-http.ts'
import type { DuePushes, PendingChange, ReceiverKey, ReceiverQueue, SetAnswer } from '../../ports/receivers.ts'
import type { Secrets } from '../../ports/secrets.ts'
import type { TenantDirectory } from '../../ports/tenants.ts'
import { jtiFor, type SetSource, type SignedSet } from './sign-set.ts'

export type PushPorts = {
  readonly source: SetSource
  readonly tenants: Pick<TenantDirectory, 'current'>
  readonly receivers: ReceiverQueue & DuePushes
  readonly http: Pick<OutboundHttp, 'post'>
  readonly secrets: Pick<Secrets, 'text'>
  readonly clock: Clock
  readonly random: () => number
  /** Names this process among those that may push. */
  readonly holder: string
  /** No request is begun any more. */
  readonly isStopping: () => boolean
  /** Crash points for fault tests; absent in every production wiring. */
  readonly failpoint?: (name: 'pushed') => void
}

export type Pusher = {
  /** Begins a turn for each receiver that is due and has none yet. Throws Unavailable. */
  readonly look: () => Promise<void>
  /** Resolves when no turn is under way. */
  readonly settled: () => Promise<void>
}

/** `onError`: a turn threw what is no outage. */
export const createPusher = (ports: PushPorts, onError: (error: unknown) => void): Pusher => {
  const turns = new Map<string, Promise<unknown>>()
  const begin = (receiver: ReceiverKey): void => {
    const name = `${receiver.tenant} ${receiver.name}`
    if (turns.has(name) || turns.size >= LIMITS.receiverPushesMax) return
    const turn: Promise<unknown> = pushTurn(ports, receiver)
      .catch((error) => {
        // The store is away: what was sent is sent again.
        if (!(error instanceof Unavailable)) onError(error)
      })
      .finally(() => turns.delete(name))
    turns.set(name, turn)
  }
  return {
    async look() {
      const due = await ports.receivers.due(ports.holder, ports.clock.nowMs(), null)
      // From another place each time: with more receivers than turns none is always last.
      const from = Math.floor(ports.random() * due.length)
      for (const receiver of [...due.slice(from), ...due.slice(0, from)]) begin(receiver)
    },
    async settled() {
      while (turns.size > 0) await Promise.all(turns.values())
    },
  }
}

type Webhook = Extract<ReceiverRule, { type: 'webhook' }>

/** How many SETs were answered, and in how many milliseconds what failed is due again; null: nothing failed. */
export type PushedTurn = { readonly sent: number; readonly retryInMs: number | null }
const NOTHING: PushedTurn = { sent: 0, retryInMs: null }

/** What is pending for one receiver, until it cannot be told more, all of it is told, or the turn is over. Throws Unavailable. */
export const pushTurn = async (ports: PushPorts, key: ReceiverKey): Promise<PushedTurn> => {
  const { receivers, holder, clock } = ports
  const config = await ports.tenants.current(key.tenant)
  const receiver = config?.receivers.find(({ name }) => name === key.name)
  if (config === null || receiver?.type !== 'webhook') return NOTHING
  const leased = await receivers.lease(key, holder, clock.nowMs())
  if (leased === null) return NOTHING
  // INVARIANT: no request begins so late that it could outlast the lease, or two processes would push side by side.
  const endMs = clock.monotonicMs() + LIMITS.receiverTurnMs
  let { sent, retryInMs } = NOTHING
  try {
    const changes = await receivers.pending(key, LIMITS.receiverSetsPerTurn)
    const letterAt = preparing(ports, config, receiver, changes)
    for (const [at, change] of changes.entries()) {
      if (clock.monotonicMs() >= endMs || ports.isStopping()) break
      const about = { seq: change.seq, jti: jtiFor(ports.source, config, receiver, change) }
      const pushed = await push(ports, receiver, about, { letter: () => letterAt(at), endMs })
      if (pushed === null) break
      const { retryAfterSeconds = 0, ...answer } = pushed
      const hasIt = answer.problem === null
      if (hasIt) ports.failpoint?.('pushed')
      const waitMs = hasIt ? 0 : retryMs(leased.attempts + 1, retryAfterSeconds, ports.random())
      await receivers.answer(key, [answer], clock.nowSeconds(), hasIt ? 0 : clock.nowMs() + waitMs)
      sent += 1
      if (hasIt) continue
      retryInMs = waitMs
      if (!SET_REFUSALS.includes(answer.problem ?? '')) break
    }
    return { sent, retryInMs }
  } finally {
    await receivers.release(key, holder)
  }
}

/** A receiver may ask to be left alone, and for no longer than it would be anyway. */
const retryMs = (attempt: number, askedSeconds: number, random: number): number => {
  const policy = { baseMs: LIMITS.receiverRetryMsBase, maxMs: LIMITS.receiverRetryMsMax }
  return Math.max(backoffMs(attempt, policy, random), Math.min(askedSeconds * 1000, policy.maxMs))
}

type Letter = { readonly signed: SignedSet | undefined; readonly authorization: string | null }

/**
 * What the requests of a turn carry, made ready for some of them at once, in their order: key and secret are had from others, and
 * asking costs as much as a request. Throws Unavailable.
 */
const preparing = (
  { source, secrets }: PushPorts,
  config: TenantConfig,
  receiver: Webhook,
  changes: readonly PendingChange[],
): ((at: number) => Promise<Letter>) => {
  let sets: readonly SignedSet[] = []
  let authorization: string | null = null
  return async (at) => {
    const within = at % LIMITS.receiverSetsAhead
    if (within === 0)
      [sets, authorization] = await Promise.all([
        source.sets(config, receiver, changes.slice(at, at + LIMITS.receiverSetsAhead)),
        receiver.authorization && secrets.text(receiver.authorization),
      ])
    return { signed: sets[within], authorization }
  }
}

type Pushed = SetAnswer & { readonly retryAfterSeconds?: number }
type About = Pick<SetAnswer, 'seq' | 'jti'>
type Due = { readonly letter: () => Promise<Letter>; readonly endMs: number }

/** Null: nothing was sent, since the turn was over before it could be. */
const push = async (
  { clock, http }: PushPorts,
  { url }: Webhook,
  about: About,
  { letter, endMs }: Due,
): Promise<Pushed | null> => {
  try {
    const { signed, authorization } = await letter()
    // Another change, or for another place, than the one that was looked at: by the next turn both have the same document.
    if (signed?.jti !== about.jti) throw new Unavailable('changed_underway')
    // Again: a key or a secret may have been long in coming.
    if (clock.monotonicMs() >= endMs) return null
    const result = await http.post(
      url,
      {
        contentType: 'application/secevent+jwt',
        text: signed.set,
        headers: { accept: 'application/json', ...(authorization === null ? {} : { authorization }) },
      },
      { expect: 'not_a_page', statuses: [200, 202, 400], bodyBytesMax: LIMITS.receiverAnswerBytesMax },
    )
    return { ...about, ...judge(result) }
  } catch (error) {
    // Ours: no key signs now, or the secret cannot be read. It is the receiver that goes without, so it is told there.
    if (!(error instanceof Unavailable)) throw error
    return { ...about, problem: error.kind, status: null, bytes: null }
  }
}

/**
 * RFC 8935 §2.2: 202 says that the receiver has the SET; so does 200, unless it comes with a page, which is a proxy's. An error
 * (§2.4) is kept by its code, if it is a registered one.
 */
const judge = (result: OutboundResult): Omit<Pushed, 'seq' | 'jti'> => {
  if (!result.ok) {
    const { reason, ...rest } = result.failure
    return { problem: reason, ...rest }
  }
  const { status, body } = result.response
  return { problem: status === 400 ? errorCodeOf(body) : null, status, bytes: body.length }
}

const errorCodeOf = (body: Uint8Array<ArrayBuffer>): string => {
  try {
    return setErrorCode((JSON.parse(decodeUtf8(body) ?? '') as { readonly err?: unknown } | null)?.err)
  } catch {
    return setErrorCode(null)
  }
}
