// Denials to audit over SQS. send() only gathers; whoever answers the caller awaits flush() first, since on Lambda nothing is
// sure to run after the answer. An allow has gathered nothing and waits for nothing. Every denial is in a message in full or
// in a count, so sums add up; a message that may have been taken is sent again unchanged, under the ids it had.

import type { RollUpPart } from '../../domain/audit-entry.ts'
import { isWithinBudget, newDenialCounters } from '../../domain/denial-budget.ts'
import { numberedDenials } from '../../domain/denial-numbers.ts'
import { addToRollUp, type GatheredRollUp, newRollUps, takeRollUps } from '../../domain/denial-roll-up.ts'
import { type Denial, shortDenial } from '../../domain/grant-record.ts'
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import { utf8Length } from '../../domain/utf8.ts'
import type { DenialQueue } from '../../ports/decisions.ts'
import { writeDenials } from '../../wire/denial-message.ts'
import { type Outgoing, type SqsTarget, sendAll } from './sqs-queue.ts'

export type FlushedDenials = DenialQueue & {
  /** Sends what was gathered. Throws Unavailable when some of it may not have been taken; it stays for the next flush. */
  readonly flush: () => Promise<void>
  /** Denials and counts that wait, messages not taken among them. */
  readonly waiting: () => number
}

/** `newId`: a UUID, for this instance and for each count that is sent. */
export const createSqsDenials = (target: SqsTarget, newId: () => string): FlushedDenials => {
  const counters = newDenialCounters()
  const numbered = numberedDenials(newId())
  const rollUps = newRollUps()
  let full: Denial[] = []
  let unsent: readonly Outgoing[] = []

  /** What was gathered becomes messages, unless too many of those wait: then it stays a count, which needs no more room. */
  const takeMessages = (): Outgoing[] => {
    if (unsent.length >= LIMITS.unsentMessagesMax) return []
    const denials = full
    full = []
    return messagesOf(
      denials,
      takeRollUps(rollUps).flatMap((rollUp) => partsOf(rollUp, newId)),
    )
  }

  return {
    send(sent) {
      // Of no tenant that is known: there is no log it belongs in, and no group of messages.
      if (sent.tenant === '') return
      const denial = numbered(sent)
      const hasRoom = unsent.length < LIMITS.unsentMessagesMax
      if (hasRoom && isWithinBudget(counters, denial, full.length)) full.push(denial)
      else addToRollUp(rollUps, denial)
    },
    async flush() {
      const messages = [...unsent, ...takeMessages()]
      if (messages.length === 0) return
      unsent = []
      // A flush that runs beside this one has taken other messages; both add what they could not send.
      const left = await sendAll(target, messages)
      unsent = [...unsent, ...left]
      if (left.length > 0) throw new Unavailable('store_unavailable')
    },
    waiting: () => unsent.length + full.length + rollUps.rows.size,
  }
}

/** A message holds a bounded list of ids; the count stands in the first part, so that the parts add up. */
const partsOf = (rollUp: GatheredRollUp, newId: () => string): RollUpPart[] => {
  const { listed, unlisted, count, ...counted } = rollUp
  const parts: RollUpPart[] = []
  for (let at = 0; at === 0 || at < listed.length; at += LIMITS.rollUpIdsPerMessageMax) {
    const some = listed.slice(at, at + LIMITS.rollUpIdsPerMessageMax)
    const isFirst = at === 0
    parts.push({
      ...counted,
      id: newId(),
      listed: some,
      count: some.length + (isFirst ? unlisted : 0),
      unlisted: isFirst ? unlisted : 0,
    })
  }
  if (parts.reduce((sum, part) => sum + part.count, 0) !== count) throw new Error('a roll-up does not add up')
  return parts
}

/** By tenant, as the consumer's log is; several to a message as far as they fit. */
const messagesOf = (denials: readonly Denial[], rollUps: readonly RollUpPart[]): Outgoing[] => {
  const messages: Outgoing[] = []
  for (const [group, ofTenant] of Map.groupBy(denials, ({ tenant }) => tenant))
    for (const some of chunks(ofTenant.map(fitting)))
      messages.push({ group, body: writeDenials({ denials: some, rollUps: [] }) })
  for (const [group, ofTenant] of Map.groupBy(rollUps, ({ tenant }) => tenant))
    for (const some of chunks(ofTenant)) messages.push({ group, body: writeDenials({ denials: [], rollUps: some }) })
  return messages
}

const bytesOf = (value: object): number => utf8Length(JSON.stringify(value))

/** Too big to keep whole: the decision stays findable. */
const fitting = (denial: Denial): Denial => (bytesOf(denial) > LIMITS.denialBytesMax ? shortDenial(denial) : denial)

const chunks = <T extends object>(items: readonly T[]): T[][] => {
  const all: T[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const item of items) {
    const size = bytesOf(item)
    const isFull =
      bytes + size > LIMITS.queueMessageBytesMax / 2 || (all.at(-1)?.length ?? 0) >= LIMITS.denialsPerMessageMax
    if (isFull) all.push([])
    bytes = isFull ? size : bytes + size
    all.at(-1)!.push(item)
  }
  return all
}
