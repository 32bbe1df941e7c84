// Turns of one process. A few requests start in each turn of its event loop, so that what arrives meanwhile is read and takes its
// place in the fair order; the rest wait, not for ever. Below that rate nobody waits and nothing is queued.
import { FairOrder } from '../../domain/fair-order.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Turns } from '../../ports/turns.ts'

export type TurnLimits = { readonly tenantMax: number; readonly instanceMax: number }

type Waiter = { readonly tenant: string; readonly sinceMs: number; readonly answer: (isItsTurn: boolean) => void }

export const createFairTurns = (
  clock: Pick<Clock, 'monotonicMs'>,
  { tenantMax, instanceMax }: TurnLimits = {
    tenantMax: LIMITS.tenantConcurrencyMax,
    instanceMax: LIMITS.instanceConcurrencyMax,
  },
): Turns => {
  const order = new FairOrder<Waiter>()
  /** Under way or waiting. */
  const present = new Map<string, number>()
  let total = 0
  let waiting = 0
  let started = 0
  let isTurning = false

  const leave = (tenant: string): void => {
    const count = present.get(tenant) ?? 1
    total -= 1
    if (count === 1) present.delete(tenant)
    else present.set(tenant, count - 1)
  }

  const send = ({ tenant, answer }: Waiter, isItsTurn: boolean): void => {
    waiting -= 1
    if (!isItsTurn) leave(tenant)
    answer(isItsTurn)
  }

  const turn = (): void => {
    started = 0
    while (started < LIMITS.startsPerTurnMax) {
      const next = order.next()
      if (next === undefined) break
      const isLate = clock.monotonicMs() - next.sinceMs > LIMITS.turnWaitMs
      if (!isLate) started += 1
      send(next, !isLate)
    }
    isTurning = started > 0 || waiting > 0
    if (isTurning) setImmediate(turn)
  }

  /** True when there is room for one more, if need be in the place of one that has waited longest and will be late. */
  const makeRoom = (tenant: string): boolean => {
    const isTenantFull = (present.get(tenant) ?? 0) >= tenantMax
    if (!isTenantFull && total < instanceMax) return true
    const spared = order.shed(isTenantFull ? tenant : undefined)
    if (spared !== undefined) send(spared, false)
    return spared !== undefined
  }

  return {
    enter(tenant, source) {
      if (!makeRoom(tenant)) return false
      present.set(tenant, (present.get(tenant) ?? 0) + 1)
      total += 1
      if (!isTurning) {
        isTurning = true
        setImmediate(turn)
      }
      if (waiting === 0 && started < LIMITS.startsPerTurnMax) {
        started += 1
        return true
      }
      waiting += 1
      return new Promise((answer) => order.add(tenant, source, { tenant, sinceMs: clock.monotonicMs(), answer }))
    },
    leave,
  }
}
