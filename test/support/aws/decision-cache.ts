// Decisions remembered: a run asks the same question thousands of times (the key of a table with every row), and one answer takes
// milliseconds. A decision is a function of the policies that apply and the request, so both together are the key: what IAM is
// told to change costs only those decisions that it can change.
import { hash } from 'node:crypto'
import type { Cloud, PolicyDocument } from './cloud.ts'
import { type Decision, decide, type IamRequest, policiesFor } from './decision.ts'

const CLOCK_KEYS = ['aws:CurrentTime', 'aws:EpochTime']

type Known = { readonly id: number; readonly readsClock: boolean }
const documents = new WeakMap<PolicyDocument, Known>()
const decisions = new Map<string, Promise<Decision>>()
let count = 0

/** Documents are never changed, only replaced. */
const knownOf = (document: PolicyDocument): Known => {
  let known = documents.get(document)
  if (known === undefined) {
    const text = JSON.stringify(document).toLowerCase()
    count += 1
    known = { id: count, readsClock: CLOCK_KEYS.some((key) => text.includes(key.toLowerCase())) }
    documents.set(document, known)
  }
  return known
}

/** As decide(). The time of day is part of the question only where some policy reads it. */
export const decideOnce = (cloud: Cloud, request: IamRequest): Promise<Decision> => {
  const { principal, action, resource, resourceAccount, from, context } = request
  const applied = Object.entries(policiesFor(cloud, request)).map(([kind, named]) => ({
    kind,
    policies: named?.map(({ name, policy }) => ({ name, ...knownOf(policy) })) ?? null,
  }))
  const readsClock = applied.some(({ policies }) => policies?.some((policy) => policy.readsClock))
  const asked = Object.entries(context).filter(([key]) => readsClock || !CLOCK_KEYS.includes(key))
  const question = JSON.stringify([applied, principal.arn, action, resource, resourceAccount, from, asked])
  const key = hash('sha256', question, 'base64')
  let decision = decisions.get(key)
  if (decision === undefined) {
    decision = decide(cloud, request)
    decisions.set(key, decision)
  }
  return decision
}
