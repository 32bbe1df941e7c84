// From what an operator asks to an order that can be carried out: names are looked up in the tenant's documents and what
// follows from the request is added. What cannot become a predicate is refused here, before it is accepted (design §2).
import { REVOCATION_KINDS, type RevocationKind, type Selector } from '../../domain/revocation.ts'
import {
  type Checked,
  type OrderContext,
  type OrderProof,
  type OrderRefusal,
  orderProblem,
  parseSelector,
  type RevocationOrder,
} from '../../domain/revocation-order.ts'
import type { Clock } from '../../ports/clock.ts'
import type { DecisionLookup } from '../../ports/decisions.ts'
import type { Ids } from '../../ports/system.ts'
import type { TenantConfigStore } from '../../ports/tenants.ts'

export type DraftPorts = {
  readonly configs: Pick<TenantConfigStore, 'latest' | 'version'>
  readonly decisions: DecisionLookup
  readonly clock: Clock
  readonly ids: Ids
}

export type Asked = {
  readonly tenant: string
  readonly kind: RevocationKind
  /** As it was given: `<issuer>/<id>`, or the bare value. */
  readonly value: string
  readonly form: 'block' | 'cut'
  readonly reason: string
  readonly proof: OrderProof
  /** Where the request has an id of its own: asked twice, it is one order. */
  readonly id?: string
}

export const draftOrder = async (ports: DraftPorts, asked: Asked): Promise<Checked<RevocationOrder>> => {
  const { tenant, kind } = asked
  const latest = await ports.configs.latest(tenant)
  if (latest === null) return no('tenant_unknown')
  const current = partsOf(latest.version.document)
  const context: OrderContext = { tenant, trustDomain: current.trustDomain, issuers: Object.keys(current.issuers) }
  const parsed = parseSelector(kind, asked.value, context)
  if (!parsed.ok) return parsed
  const unknown = await unknownName(ports, tenant, latest.version.version, parsed.value)
  if (unknown !== null) return no(unknown)
  const order: RevocationOrder = {
    v: 1,
    id: asked.id ?? ports.ids.decisionId(),
    tenant,
    selectors: [parsed.value, ...(await followingFrom(ports, tenant, parsed.value))],
    form: asked.form,
    reason: asked.reason,
    proof: asked.proof,
    orderedAtSeconds: ports.clock.nowSeconds(),
  }
  const problem = orderProblem(order)
  return problem === null ? { ok: true, value: order } : no(problem)
}

const no = (refusal: OrderRefusal) => ({ ok: false as const, refusal })

type Parts = {
  readonly trustDomain: string
  readonly issuers: Readonly<Record<string, unknown>>
  readonly grants: Readonly<Record<string, unknown>>
}

/** A stored document passed the schema when it was applied. */
const partsOf = (document: string): Parts => {
  const parts = JSON.parse(document) as {
    readonly trust_domain?: string
    readonly issuers?: Parts['issuers']
    readonly grants?: Parts['grants']
  }
  return { trustDomain: parts.trust_domain ?? '', issuers: parts.issuers ?? {}, grants: parts.grants ?? {} }
}

/** A name may be of an older version: what it let in is still alive. A name of none is a slip, and would revoke nothing. */
const unknownName = async (
  { configs }: DraftPorts,
  tenant: string,
  newest: number,
  { kind, issuer, value }: Selector,
): Promise<OrderRefusal | null> => {
  const isIssuer = kind === 'issuer' || REVOCATION_KINDS[kind].scoped
  if (!isIssuer && kind !== 'grant') return null
  const name = REVOCATION_KINDS[kind].scoped ? issuer : value
  for (let version = newest; version > 0; version -= 1) {
    const stored = await configs.version(tenant, version)
    if (stored === null) continue
    const { issuers, grants } = partsOf(stored.document)
    if (Object.hasOwn(isIssuer ? issuers : grants, name)) return null
  }
  return isIssuer ? 'issuer_unknown' : 'grant_unknown'
}

/** Revoking a credential blocks the assertion it came from, or reusable evidence would simply be redeemed again (design §3). */
const followingFrom = async (ports: DraftPorts, tenant: string, { kind, value }: Selector): Promise<Selector[]> => {
  if (kind !== 'credential') return []
  // The jti of a credential is the id of the decision that gave it.
  const found = await ports.decisions.find(value, tenant)
  return found?.kind === 'allow' ? [{ kind: 'assertion', issuer: '', value: found.record.evidence.replayKey }] : []
}
