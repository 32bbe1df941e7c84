// Decisions remembered: a run asks the same question thousands of times (the key of a table with every row), and one answer takes
// milliseconds. A decision is a function of the policies and the request, so both together are the key.
import type { Cloud } from './cloud.ts'
import { type Decision, decide, type IamRequest } from './decision.ts'

const CLOCK_KEYS = ['aws:CurrentTime', 'aws:EpochTime']

type Memory = { readonly readsClock: boolean; readonly decisions: Map<string, Promise<Decision>> }
const memories = new WeakMap<Cloud, Memory>()

/** As decide(). The time of day is part of the question only where some policy reads it. */
export const decideOnce = (cloud: Cloud, request: IamRequest): Promise<Decision> => {
  let memory = memories.get(cloud)
  if (memory === undefined) {
    const text = JSON.stringify(cloud).toLowerCase()
    memory = { readsClock: CLOCK_KEYS.some((key) => text.includes(key.toLowerCase())), decisions: new Map() }
    memories.set(cloud, memory)
  }
  const { principal, action, resource, resourceAccount, from, context } = request
  // A session policy travels in the principal and may read the clock as well.
  const readsClock = memory.readsClock || principal.sessionPolicies.length > 0
  const asked = Object.entries(context).filter(([key]) => readsClock || !CLOCK_KEYS.includes(key))
  const key = JSON.stringify([principal, action, resource, resourceAccount, from, asked])
  let decision = memory.decisions.get(key)
  if (decision === undefined) {
    decision = decide(cloud, request)
    memory.decisions.set(key, decision)
  }
  return decision
}
