// What an operator of one tenant does from afar (design §5): with scope admin orders and their state, what is in force, decisions;
// and what a request would be answered; with scope audit:read the audit log.
// Every order goes over the queue with the operator's own token as its proof.
import type { AdminRequest } from '../../domain/admin-request.ts'
import type { Call, CallAnswer } from '../../domain/call.ts'
import type { Explanation } from '../../domain/explain.ts'
import type { StoredDecision } from '../../domain/grant-record.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { ProviderCatalog } from '../../domain/provider.ts'
import type { ReceiverState } from '../../domain/receiver-state.ts'
import { refuse } from '../../domain/refusal.ts'
import { ok } from '../../domain/result.ts'
import type { Revocation } from '../../domain/revocation.ts'
import {
  type AppliedOrder,
  isReason,
  type LiftOrder,
  ORDER_REFUSALS,
  type RevocationOrder,
} from '../../domain/revocation-order.ts'
import type { LookUps } from '../../ports/change-feed.ts'
import type { RecentRecords } from '../../ports/decisions.ts'
import type { Queue } from '../../ports/queue.ts'
import type { ReceiverStates } from '../../ports/receivers.ts'
import type { AppliedOrders } from '../../ports/revocation-orders.ts'
import type { RevocationPages } from '../../ports/revocations.ts'
import { administerSinks, type SinkAdminAnswer, type SinkPorts } from '../audit/administer-sinks.ts'
import { type AuditAnswer, type ReadLogPorts, readLog } from '../audit/read-log.ts'
import { asCaller, type Caller, type CallerPorts } from '../authorize-caller.ts'
import { type ExplainPorts, explainDecision } from '../explain-decision.ts'
import { administerKeys, type KeyAdminAnswer, type KeyAdminPorts } from '../keys/administer-keys.ts'
import { type DraftPorts, draftOrder } from '../revocation/draft-order.ts'
import { LIFT_REFUSALS } from '../revocation/lift-block.ts'
import { type Preview, previewRevocation } from '../revocation/preview-revocation.ts'
import { type Simulation, simulateExchange } from '../simulate-exchange.ts'

export type AdminPorts = CallerPorts & {
  readonly configs: DraftPorts['configs']
  readonly compile: ExplainPorts['compile']
  readonly catalog: ProviderCatalog
  readonly recent: RecentRecords
  readonly revocations: RevocationPages
  /** Absent: nobody is told by this broker. */
  readonly receivers?: ReceiverStates
  readonly applied: Pick<AppliedOrders, 'find'>
  readonly lookUps: LookUps
  readonly orders: Queue
  /** Absent: this broker delivers to none. */
  readonly sinks?: Omit<SinkPorts, 'clock' | 'ids'>
  /** Absent: the log is not read through this broker. */
  readonly auditLog?: ReadLogPorts
  /** Absent: keys are not moved through this broker. */
  readonly ownKeys?: KeyAdminPorts
}

export type AdminAnswer =
  | SinkAdminAnswer
  | AuditAnswer
  | KeyAdminAnswer
  | Simulation
  /** `refusal` is a key of ORDER_REFUSALS or of what an unblock is refused for, `says` its constant text. */
  | { readonly kind: 'refused'; readonly refusal: string; readonly says: string }
  | { readonly kind: 'accepted'; readonly order: ReturnType<typeof withoutProof> }
  | { readonly kind: 'lift_accepted'; readonly revocation: Revocation }
  | { readonly kind: 'dry_run'; readonly order: ReturnType<typeof withoutProof>; readonly hits: Preview }
  /** `next`: the cursor of the page behind this one; null: there is none. */
  | { readonly kind: 'revocations'; readonly revocations: readonly Revocation[]; readonly next: number | null }
  | { readonly kind: 'receivers'; readonly receivers: readonly ReceiverState[] }
  | { readonly kind: 'in_force'; readonly order: ReturnType<typeof withoutProof>; readonly applied: Applied }
  | { readonly kind: 'decision'; readonly decision: StoredDecision; readonly explanation: Explanation | null }

type Applied = Pick<AppliedOrder, 'by' | 'revocations' | 'atSeconds'>

/** `asked`: null where it is nothing that is served; `scope`: what it takes. Throws Unavailable; an order is durable when it is accepted. */
export const administerTenant = (
  ports: AdminPorts,
  call: Call,
  asked: AdminRequest | null,
  scope: 'admin' | 'audit:read',
): Promise<CallAnswer<AdminAnswer>> =>
  asCaller(ports, call, scope, async (caller) =>
    asked === null ? refuse('request_malformed', { problem: 'body' }) : ok(await act(ports, caller, asked)),
  )

const act = async (ports: AdminPorts, caller: Caller, asked: AdminRequest): Promise<AdminAnswer> => {
  const { tenant } = caller.config
  switch (asked.kind) {
    case 'revoke':
      return revoke(ports, caller, asked)
    case 'unblock':
      return unblock(ports, caller, asked)
    case 'revocations':
      return { kind: 'revocations', ...(await ports.revocations.page(tenant, asked.after, LIMITS.adminPageMax)) }
    case 'receivers':
      if (ports.receivers === undefined) return { kind: 'not_found' }
      return { kind: 'receivers', receivers: await ports.receivers.list(tenant) }
    case 'order': {
      const found = await ports.applied.find(tenant, asked.id)
      if (found === null) return { kind: 'not_found' }
      const { order, by, revocations, atSeconds } = found
      return { kind: 'in_force', order: withoutProof(order), applied: { by, revocations, atSeconds } }
    }
    case 'sinks':
    case 'ask_sink':
    case 'sink_errand':
    case 'dead_letters':
      if (ports.sinks === undefined) return { kind: 'not_found' }
      return administerSinks({ ...ports.sinks, clock: ports.clock, ids: ports.ids }, caller.config, asked)
    case 'keys':
    case 'rotate_keys':
    case 'taint_key':
      if (ports.ownKeys === undefined) return { kind: 'not_found' }
      return administerKeys(ports.ownKeys, { tenant, by: byOf(caller) }, asked)
    case 'simulate':
      return simulateExchange(ports.catalog, caller.config, asked, ports.clock.nowSeconds())
    case 'log':
    case 'log_events':
    case 'log_search':
    case 'log_proof':
      if (ports.auditLog === undefined) return { kind: 'not_found' }
      return readLog({ ...ports, ...ports.auditLog }, { tenant, by: byOf(caller) }, asked)
    case 'decision': {
      const decision = await ports.records.find(asked.id, tenant)
      if (decision === null) return { kind: 'not_found' }
      // Before it is shown: nobody reads a decision without leaving a trace (design P8).
      await ports.lookUps.tell({ tenant, decisionId: asked.id, by: byOf(caller), atSeconds: ports.clock.nowSeconds() })
      return { kind: 'decision', decision, explanation: await explainDecision(ports, decision) }
    }
  }
}

/** As records name an operator. */
const byOf = ({ token }: Caller): string => `${token.subject} ${token.jti}`

/** Nobody is told the proof, not even who gave it. */
const withoutProof = ({ proof: _, ...order }: RevocationOrder) => order

const revoke = async (
  ports: AdminPorts,
  { config, orderProof: proof }: Caller,
  { what, value, form, reason, isDryRun }: Extract<AdminRequest, { kind: 'revoke' }>,
): Promise<AdminAnswer> => {
  const { tenant } = config
  const drafting = { ...ports, decisions: ports.records }
  const asked = { tenant, kind: what, value, form, reason, proof }
  const draft = await draftOrder(drafting, asked)
  if (!draft.ok) return { kind: 'refused', refusal: draft.refusal, says: ORDER_REFUSALS[draft.refusal] }
  const order = draft.value
  if (isDryRun) {
    const hits = await previewRevocation({ records: ports.recent, clock: ports.clock }, order)
    return { kind: 'dry_run', order: withoutProof(order), hits }
  }
  await ports.orders.send(order, { group: tenant, dedupe: order.id, isUrgent: true })
  return { kind: 'accepted', order: withoutProof(order) }
}

const unblock = async (
  ports: AdminPorts,
  { config, orderProof: proof }: Caller,
  { id, reason }: Extract<AdminRequest, { kind: 'unblock' }>,
): Promise<AdminAnswer> => {
  const { tenant } = config
  const found = await ports.revocations.find(tenant, id)
  if (found === null) return { kind: 'not_found' }
  const refusal = isReason(reason) ? unliftable(found) : 'reason_invalid'
  if (refusal !== null) return { kind: 'refused', refusal, says: UNBLOCK_REFUSALS[refusal] }
  const order: LiftOrder = {
    v: 1,
    id: ports.ids.decisionId(),
    tenant,
    lifts: id,
    reason,
    proof,
    orderedAtSeconds: ports.clock.nowSeconds(),
  }
  await ports.orders.send(order, { group: tenant, dedupe: order.id, isUrgent: true })
  return { kind: 'lift_accepted', revocation: found }
}

const UNBLOCK_REFUSALS = {
  ...LIFT_REFUSALS,
  tenant_block: "a block of the whole tenant is lifted at the broker's machine",
} as const

const unliftable = ({ form, kind }: Revocation): keyof typeof UNBLOCK_REFUSALS | null => {
  if (form === 'cut') return 'is_a_cut'
  return kind === 'tenant' ? 'tenant_block' : null
}
