// A queue in this process, with leases and quarantine: what tests feed functions from. Keeps the port's laws but durability.
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Delivery, Quarantine, Queue, QueueSource } from '../../ports/queue.ts'

type Waiting = {
  readonly id: string
  readonly body: string
  readonly group: string
  readonly isUrgent: boolean
  attempt: number
  visibleAtMs: number
}

export type MemoryQueue = Queue &
  QueueSource &
  Quarantine & {
    /** What no send() of ours would put there. */
    readonly putText: (body: string, group: string) => void
    readonly quarantined: () => readonly { readonly body: string; readonly reason: string }[]
  }

export const createMemoryQueue = (clock: Pick<Clock, 'nowMs'>): MemoryQueue => {
  const waiting = new Map<string, Waiting>()
  const quarantined: { body: string; reason: string }[] = []
  const leased = ({ id, attempt }: Delivery): Waiting | null => {
    const message = waiting.get(id)
    return message?.attempt === attempt ? message : null
  }
  const put = (id: string, body: string, group: string, isUrgent = false): void => {
    if (!waiting.has(id)) waiting.set(id, { id, body, group, isUrgent, attempt: 0, visibleAtMs: clock.nowMs() })
  }
  return {
    send: async (message, { group, dedupe, isUrgent }) => put(dedupe, JSON.stringify(message), group, isUrgent),
    putText: (body, group) => put(body, body, group),
    async put({ body }, reason) {
      quarantined.push({ body, reason })
    },
    async receive(max) {
      const delivered: Delivery[] = []
      for (const message of [...waiting.values()].sort((a, b) => Number(b.isUrgent) - Number(a.isUrgent))) {
        if (message.visibleAtMs > clock.nowMs() || delivered.length === max) continue
        if (message.attempt >= LIMITS.queueReceivesMax) {
          waiting.delete(message.id)
          quarantined.push({ body: message.body, reason: 'too_many_attempts' })
          continue
        }
        message.attempt += 1
        message.visibleAtMs = clock.nowMs() + LIMITS.queueLeaseMs
        delivered.push({ id: message.id, body: message.body, group: message.group, attempt: message.attempt })
      }
      return delivered
    },
    async settle(done, again) {
      for (const delivery of done) if (leased(delivery) !== null) waiting.delete(delivery.id)
      for (const delivery of again) {
        const message = leased(delivery)
        if (message !== null) message.visibleAtMs = clock.nowMs()
      }
    },
    quarantined: () => quarantined,
  }
}
