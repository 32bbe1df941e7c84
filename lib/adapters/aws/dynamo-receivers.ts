// Receivers of revocations in DynamoDB: one row each, that says how far it is and who pushes to it now. Answers move it by
// compare-and-set, so that of two at once neither undoes the other. What a change says is read from the revocation's own row, as
// in the feed: one that changed again before it was told is told as it is now, under each of its numbers.
import type { ControlChange } from '../../domain/control-change.ts'
import { LIMITS } from '../../domain/limits.ts'
import { isFree, isFull, isPushDue, isRefusal, type ReceiverLease } from '../../domain/receiver-due.ts'
import {
  countOwed,
  newlyKnown,
  type OpenRange,
  owedOf,
  type ReceiverProgress,
  withAnswers,
} from '../../domain/receiver-progress.ts'
import type { ReceiverState } from '../../domain/receiver-state.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type {
  DuePushes,
  PendingChange,
  ReceiverKey,
  ReceiverQueue,
  ReceiverStates,
  SetAnswer,
} from '../../ports/receivers.ts'
import { type NamedReceiver, namedReceivers, receivingTenants } from './dynamo-receiver-beginnings.ts'
import {
  begin,
  type Call,
  getItem,
  getItems,
  type Item,
  keyOf,
  nameOf,
  newMark,
  numberOf,
  optionalNumber,
  type Table,
  textOf,
  writeIf,
} from './dynamo-request.ts'
import { changesAt, headOf } from './dynamo-revocation-changes.ts'
import { receiverKey } from './table-keys.ts'

/** Others answer for the same receiver at the same time: one of them wins each time, and the others look again. */
const TRIES_MAX = 16

export const createReceivers = (table: Table): ReceiverQueue & DuePushes & ReceiverStates => ({
  async pending({ tenant, name }, max) {
    const call = await begin(table, tenant)
    const receiver = await receiverOf(call, tenant, name)
    if (receiver === null || max <= 0) return []
    const owed = owedOf(receiver.progress, { head: await headOf(call, tenant), max, isRefusal })
    const problems = new Map(owed.map(({ seq, problem }) => [seq, problem]))
    const changes = await changesAt(call, tenant, [...problems.keys()])
    return changes.map((change): PendingChange => ({ ...change, problem: problems.get(change.seq) ?? null }))
  },
  changes: async (tenant, seqs) => changesAt(await begin(table, tenant), tenant, seqs),
  async answer(key, answers, atSeconds, retryAtMs = 0) {
    const call = await begin(table, key.tenant)
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const receiver = await receiverOf(call, key.tenant, key.name)
      if (receiver === null || (await putAnswers(call, key, receiver, { answers, atSeconds, retryAtMs }))) return
    }
    throw new Unavailable('store_unavailable')
  },
  due: async (holder, nowMs, tenant) =>
    (await ofTenants(table, tenant, receiversOf))
      .filter(({ receiver, head }) => isDue(receiver, holder, { nowMs, head }))
      .map(({ tenant: of, receiver }) => ({ tenant: of, name: receiver.name })),
  async lease({ tenant, name }, holder, nowMs) {
    const call = await begin(table, tenant)
    const receiver = await receiverOf(call, tenant, name)
    if (receiver === null || !isFree(receiver, holder, nowMs)) return null
    const key = receiverKey(tenant, name)
    const mark = newMark()
    const update = {
      Key: keyOf(key),
      ...leasedFrom(receiver, { holder, untilMs: nowMs + LIMITS.receiverLeaseMs, mark }),
    }
    return (await writeIf(call, { update }, { key, mark })).applied ? { attempts: receiver.attempts } : null
  },
  async release({ tenant, name }, holder) {
    const key = receiverKey(tenant, name)
    const mark = newMark()
    const update = {
      Key: keyOf(key),
      UpdateExpression: 'SET w = :mark REMOVE holder, leasedUntil',
      ConditionExpression: 'holder = :holder',
      ExpressionAttributeValues: { ':mark': { S: mark }, ':holder': { S: holder } },
    }
    await writeIf(await begin(table, tenant), { update }, { key, mark })
  },
  list: (tenant) =>
    ofTenants(table, tenant, async (call, of) =>
      Promise.all((await receiversOf(call, of)).map(({ receiver, head }) => stateOf(call, of, receiver, head))),
    ),
})

/** From whoever has it by the row that was read, and from nobody else. */
const leasedFrom = (
  { holder: was, leasedUntilMs }: ReceiverLease,
  { holder, untilMs, mark }: { readonly holder: string; readonly untilMs: number; readonly mark: string },
) => ({
  UpdateExpression: 'SET holder = :holder, leasedUntil = :until, w = :mark',
  ConditionExpression: was === '' ? 'attribute_not_exists(holder)' : 'holder = :was AND leasedUntil = :wasUntil',
  ExpressionAttributeValues: {
    ':holder': { S: holder },
    ':until': { N: String(untilMs) },
    ':mark': { S: mark },
    ...(was === '' ? {} : { ':was': { S: was }, ':wasUntil': { N: String(leasedUntilMs) } }),
  },
})

type Receiver = NamedReceiver & {
  readonly progress: ReceiverProgress
  /** Of the last answer; what another answer must not have moved. */
  readonly revision: number
  readonly holder: string
  readonly leasedUntilMs: number
  readonly attempts: number
  readonly retryAtMs: number
  readonly last: ReceiverState['last']
}

type At = { readonly tenant: string; readonly receiver: Receiver; readonly head: number }

const receiverOf = async (call: Call, tenant: string, name: string): Promise<Receiver | null> => {
  const named = (await namedReceivers(call, tenant)).find((receiver) => receiver.name === name)
  return named === undefined ? null : readReceiver(named, await getItem(call, receiverKey(tenant, name)))
}

const receiversOf = async (call: Call, tenant: string): Promise<readonly At[]> => {
  const named = await namedReceivers(call, tenant)
  if (named.length === 0) return []
  const keyed = named.map((receiver) => [receiver, receiverKey(tenant, receiver.name)] as const)
  const rows = await getItems(
    call,
    keyed.map(([, key]) => key),
  )
  // After the rows: what is owed may be too much by then, and never too little.
  const head = await headOf(call, tenant)
  return keyed.map(([receiver, key]) => ({
    tenant,
    receiver: readReceiver(receiver, rows.get(nameOf(key)) ?? null),
    head,
  }))
}

/** Of one tenant, or of all that have receivers, some side by side. */
const ofTenants = async <T>(
  table: Table,
  tenant: string | null,
  work: (call: Call, tenant: string) => Promise<readonly T[]>,
): Promise<readonly T[]> => {
  const tenants = tenant === null ? await receivingTenants(table) : [tenant]
  const found: T[] = []
  for (let at = 0; at < tenants.length; at += LIMITS.receiverTenantsAtOnce) {
    const some = tenants.slice(at, at + LIMITS.receiverTenantsAtOnce)
    found.push(...(await Promise.all(some.map(async (of) => work(await begin(table, of), of)))).flat())
  }
  return found
}

/** A row of a time before the document named it anew says nothing but who holds it. */
const readReceiver = (named: NamedReceiver, row: Item | null): Receiver => {
  const lease = { holder: row?.['holder']?.S ?? '', leasedUntilMs: numberOf(row ?? {}, 'leasedUntil') ?? 0 }
  const revision = numberOf(row ?? {}, 'revision') ?? 0
  const anew = { ...named, ...lease, revision, attempts: 0, retryAtMs: 0, last: null }
  if (row === null || numberOf(row, 'since') !== named.since)
    return { ...anew, progress: { answered: named.since, open: [] } }
  const lastAt = numberOf(row, 'lastAt')
  return {
    ...anew,
    progress: {
      answered: numberOf(row, 'answered') ?? named.since,
      open: (row['open']?.L ?? []).map(({ M = {} }) => readRange(M)),
    },
    attempts: numberOf(row, 'attempts') ?? 0,
    retryAtMs: numberOf(row, 'retryAt') ?? 0,
    last:
      lastAt === null
        ? null
        : {
            atSeconds: lastAt,
            problem: row['lastProblem']?.S ?? null,
            status: numberOf(row, 'lastStatus'),
            bytes: numberOf(row, 'lastBytes'),
          },
  }
}

const readRange = (row: Item): OpenRange => ({
  from: numberOf(row, 'f') as number,
  to: numberOf(row, 't') as number,
  problem: row['p']?.S ?? null,
  atSeconds: numberOf(row, 'a') as number,
})

const rangeRow = ({ from, to, problem, atSeconds }: OpenRange) => ({
  M: {
    f: { N: String(from) },
    t: { N: String(to) },
    a: { N: String(atSeconds) },
    ...(problem === null ? {} : { p: { S: problem } }),
  },
})

const toldRow = ({ seq, jti, problem, status }: SetAnswer) => ({
  M: {
    s: { N: String(seq) },
    j: { S: jti },
    ...(problem === null ? {} : { p: { S: problem } }),
    ...optionalNumber('c', status),
  },
})

/** What an answer changed of what is known of a receiver, from its row as it was and as it is. */
export const toldOf = (tenant: string, name: string, before: Item, after: Item): readonly ReceiverChange[] => {
  if (numberOf(before, 'revision') === numberOf(after, 'revision')) return []
  return (after['told']?.L ?? []).map(({ M: row = {} }) => {
    const [jti, problem] = [textOf(row, 'j'), row['p']?.S ?? null]
    return {
      what: 'receiver',
      id: `receiver.${name}.${jti}.${problem === null ? 'has' : 'has-not'}`,
      tenant,
      atSeconds: numberOf(after, 'lastAt') ?? 0,
      receiver: name,
      seq: numberOf(row, 's') ?? 0,
      jti,
      problem,
      status: numberOf(row, 'c'),
    }
  })
}
type ReceiverChange = Extract<ControlChange, { readonly what: 'receiver' }>

type Answers = { readonly answers: readonly SetAnswer[]; readonly atSeconds: number; readonly retryAtMs: number }

/** False: another answer was there first. Of a receiver's row everything is written anew but its lease. */
const putAnswers = async (
  call: Call,
  { tenant, name }: ReceiverKey,
  { since, progress, revision, attempts }: Receiver,
  { answers, atSeconds, retryAtMs }: Answers,
): Promise<boolean> => {
  const after = withAnswers(progress, answers, { atSeconds, openMax: LIMITS.receiverOpenMax })
  const { answered, open } = after
  const { problem = null, status = null, bytes = null } = answers.at(-1) ?? {}
  const mark = newMark()
  const written: Item = {
    since: { N: String(since) },
    answered: { N: String(answered) },
    open: { L: open.map(rangeRow) },
    // For the reader of the stream, which sees no more than this row.
    told: { L: newlyKnown(progress, after, answers).map(toldRow) },
    revision: { N: String(revision + 1) },
    attempts: { N: String(problem === null ? 0 : attempts + 1) },
    retryAt: { N: String(retryAtMs) },
    lastAt: { N: String(atSeconds) },
    lastProblem: problem === null ? { NULL: true } : { S: problem },
    ...optionalNumber('lastStatus', status),
    ...optionalNumber('lastBytes', bytes),
    w: { S: mark },
  }
  const names = Object.keys(written)
  const gone = ['lastStatus', 'lastBytes'].filter((attribute) => !names.includes(attribute))
  const key = receiverKey(tenant, name)
  const update = {
    Key: keyOf(key),
    UpdateExpression: `SET ${names.map((attribute) => `#${attribute} = :${attribute}`).join(', ')}${gone.length === 0 ? '' : ` REMOVE ${gone.join(', ')}`}`,
    ConditionExpression: revision === 0 ? 'attribute_not_exists(#revision)' : '#revision = :was',
    ExpressionAttributeNames: Object.fromEntries(names.map((attribute) => [`#${attribute}`, attribute])),
    ExpressionAttributeValues: {
      ...Object.fromEntries(Object.entries(written).map(([attribute, value]) => [`:${attribute}`, value])),
      ...(revision === 0 ? {} : { ':was': { N: String(revision) } }),
    },
  }
  return (await writeIf(call, { update }, { key, mark })).applied
}

const isDue = (receiver: Receiver, holder: string, at: { readonly nowMs: number; readonly head: number }): boolean =>
  receiver.type === 'webhook' && isFree(receiver, holder, at.nowMs) && isPushDue(receiver, at)

const stateOf = async (call: Call, tenant: string, receiver: Receiver, head: number): Promise<ReceiverState> => {
  const { name, type, progress, attempts, last } = receiver
  const pending = countOwed(progress, head)
  const oldest = Math.min(progress.open[0]?.from ?? Number.POSITIVE_INFINITY, progress.answered + 1)
  const [change] = pending === 0 ? [] : await changesAt(call, tenant, [oldest])
  return {
    tenant,
    name,
    type,
    pending,
    oldestAtSeconds: change?.atSeconds ?? null,
    refused: progress.open.filter(({ problem }) => problem !== null && isRefusal(problem)).length,
    full: isFull(progress),
    attempts,
    last,
  }
}
