// What operators and rotation do: Entity Management (3004) for revocations, lifted blocks, our keys, tenant documents, removed
// tenants and look-ups of decisions. Pure.
import type { JsonObject } from '../claims.ts'
import type { ControlChange } from '../control-change.ts'
import type { AppliedOrder } from '../revocation-order.ts'
import type { KeyState } from '../signing-key.ts'
import { type EventParts, newEvent, type OcsfEvent, operatorOf } from './event.ts'

const CREATE = 1
const READ = 2
const UPDATE = 3
const DELETE = 4
const ENABLE = 8
const DISABLE = 9
const ACTIVATE = 10
const DEACTIVATE = 11

export const eventOfRevocation = ({ order, by, revocations, atSeconds }: AppliedOrder): OcsfEvent => {
  const first = order.selectors[0]!
  return newEvent({
    ...managed(order.tenant, order.id, atSeconds),
    activityId: DELETE,
    severityId: 3,
    code: 'revoked',
    message: 'a revocation is in force',
    detail: {
      actor: operatorOf(by),
      comment: order.reason,
      entity: { uid: first.value, name: first.kind, type_id: 99, type: first.kind, data: { ...first } },
    },
    unmapped: {
      order_id: order.id,
      ordered_at: order.orderedAtSeconds,
      form: order.form,
      // Its kind alone: a proof may be a token.
      proof: order.proof.kind,
      selectors: order.selectors.map((selector) => ({ ...selector })),
      revocations,
    },
  })
}

type Change<What extends ControlChange['what']> = Extract<ControlChange, { readonly what: What }>

/** Severity: a tainted key and a lifted block weaken what was decided before. */
export const eventOfChange = (change: Exclude<ControlChange, { what: 'receiver' }>): OcsfEvent => {
  switch (change.what) {
    case 'key':
      return eventOfKeyMove(change)
    case 'config':
      return eventOfConfig(change)
    case 'removal':
      return eventOfRemoval(change)
    case 'erasure':
      return eventOfErasure(change)
    case 'unblock':
      return eventOfUnblock(change)
    case 'recovery':
      return eventOfRecovery(change)
    case 'key_order':
      return eventOfKeyOrder(change)
    case 'look_up':
      return eventOfLookUp(change)
  }
}

const eventOfKeyMove = (change: Change<'key'>): OcsfEvent =>
  newEvent({
    ...managed(change.tenant, change.id, change.atSeconds),
    ...KEY_MOVES[change.state],
    code: `key_${change.state}`,
    message: 'a signing key moved',
    detail: {
      entity: { uid: change.kid, name: `${change.use} key`, type_id: 99, type: 'signing key', data: keyOf(change) },
    },
    unmapped: keyOf(change),
  })

const eventOfRemoval = (change: Change<'removal'>): OcsfEvent =>
  newEvent({
    ...managed(change.tenant, change.id, change.atSeconds),
    activityId: DELETE,
    severityId: 3,
    code: 'tenant_removed',
    message: 'a tenant was removed',
    detail: {
      actor: operatorOf(change.by || 'unknown'),
      entity: { uid: change.tenant, name: change.tenant, type_id: 4, type: 'Organization' },
    },
    unmapped: {},
  })

const eventOfErasure = (change: Change<'erasure'>): OcsfEvent =>
  newEvent({
    ...managed(change.tenant, change.id, change.atSeconds),
    activityId: DELETE,
    severityId: 3,
    code: 'tenant_erased',
    message: 'a secret of a removed tenant was erased',
    detail: {
      entity: { uid: change.erased, name: 'secret of a removed tenant', type_id: 99, type: 'secret' },
    },
    unmapped: { erased: change.erased },
  })

const eventOfUnblock = (change: Change<'unblock'>): OcsfEvent =>
  newEvent({
    ...managed(change.tenant, change.id, change.atSeconds),
    activityId: ENABLE,
    severityId: 3,
    code: 'unblocked',
    message: 'a block was lifted',
    detail: {
      actor: operatorOf(change.by || 'unknown'),
      comment: change.reason,
      entity: { uid: change.value, name: change.kind, type_id: 99, type: change.kind },
    },
    unmapped: { revocation: change.revocation, kind: change.kind, issuer: change.issuer, value: change.value },
  })

const eventOfRecovery = (change: Change<'recovery'>): OcsfEvent =>
  newEvent({
    ...managed(change.tenant, change.id, change.atSeconds),
    activityId: UPDATE,
    severityId: 4,
    code: 'store_recovered',
    message: 'records were lost: what was issued is cut, earlier evidence refused, keys replaced',
    detail: {
      actor: operatorOf(change.by || 'unknown'),
      comment: change.reason,
      entity: { uid: change.tenant, name: 'store', type_id: 99, type: 'store' },
    },
    unmapped: { number: change.number, evidence_floor: change.floor },
  })

const eventOfLookUp = (change: Change<'look_up'>): OcsfEvent =>
  newEvent({
    ...managed(change.tenant, change.id, change.atSeconds),
    activityId: READ,
    severityId: 1,
    code: 'decision_read',
    message: 'an operator looked a decision up',
    detail: {
      actor: operatorOf(change.by),
      entity: { uid: change.decisionId, name: 'decision', type_id: 99, type: 'decision' },
    },
    unmapped: { decision_id: change.decisionId },
  })

const eventOfKeyOrder = (change: Change<'key_order'>): OcsfEvent =>
  newEvent({
    ...managed(change.tenant, change.id, change.atSeconds),
    activityId: UPDATE,
    severityId: change.order === 'taint' ? 4 : 3,
    code: change.order === 'taint' ? 'key_taint_ordered' : 'rotation_ordered',
    message: 'an operator had signing keys moved',
    detail: {
      actor: operatorOf(change.by),
      ...(change.reason === '' ? {} : { comment: change.reason }),
      entity: { uid: change.kid ?? change.tenant, name: 'signing keys', type_id: 99, type: 'signing key' },
    },
    unmapped: { order: change.order, kid: change.kid },
  })

const eventOfConfig = (change: Change<'config'>): OcsfEvent =>
  newEvent({
    ...managed(change.tenant, change.id, change.atSeconds),
    activityId: change.version === 1 ? CREATE : UPDATE,
    severityId: 2,
    code: 'config_applied',
    message: 'a tenant document is current',
    detail: {
      actor: operatorOf(change.author || 'unknown'),
      comment: change.diff || null,
      entity: {
        uid: change.tenant,
        name: change.tenant,
        type_id: 5,
        type: 'Policy',
        version: String(change.version),
        policy: { uid: change.tenant, version: String(change.version), is_applied: true },
      },
    },
    unmapped: {
      version: change.version,
      digest: change.digest,
      author: change.author,
      commit: change.commit,
      diff: change.diff.split('\n'),
    },
  })

const KEY_MOVES: Readonly<Record<KeyState, Pick<EventParts, 'activityId' | 'severityId'>>> = {
  prepared: { activityId: CREATE, severityId: 1 },
  active: { activityId: ACTIVATE, severityId: 1 },
  retiring: { activityId: DEACTIVATE, severityId: 1 },
  retired: { activityId: DELETE, severityId: 1 },
  tainted: { activityId: DISABLE, severityId: 4 },
}

const keyOf = ({ kid, alg, use, state }: Change<'key'>): JsonObject => ({
  kid,
  alg,
  use,
  state,
})

const managed = (tenant: string, uid: string, atSeconds: number) => ({
  classUid: 3004 as const,
  outcome: 'success' as const,
  uid,
  tenant,
  atSeconds,
  correlation: uid,
})
