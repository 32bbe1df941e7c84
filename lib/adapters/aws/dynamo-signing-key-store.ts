// Our own keys in DynamoDB, wrapped before they come here. Every move is a compare-and-set on the state, so that two
// rotations at once cannot both do it; mint reads the same row strongly before it signs.
import type { ControlChange } from '../../domain/control-change.ts'
import type { KeyState, KeyUse, OwnAlgorithm, SigningKey } from '../../domain/signing-key.ts'
import type { SigningKeyStore } from '../../ports/signing-keys.ts'
import {
  begin,
  getItem,
  type Item,
  keyOf,
  newMark,
  numberOf,
  optionalNumber,
  queryAll,
  type Table,
  textOf,
  writeIf,
} from './dynamo-request.ts'
import { feedSecretKey, signingKeyKey, signingKeyPartition } from './table-keys.ts'

const IF_ABSENT = { ConditionExpression: 'attribute_not_exists(pk)' } as const

/** Who proves keys may touch no other attribute of them (infra/policies), and what comes back is touched too. */
const NOTHING_BACK = { ReturnValues: 'NONE', ReturnValuesOnConditionCheckFailure: 'NONE' } as const

export const createSigningKeyStore = (table: Table): SigningKeyStore => ({
  async list(tenant) {
    const rows = await queryAll(await begin(table, tenant), { pk: signingKeyPartition(tenant) })
    return rows
      .map((row) => signingKeyOf(row, tenant))
      .sort((a, b) => a.createdAtSeconds - b.createdAtSeconds || (a.kid < b.kid ? -1 : 1))
  },

  async insert(signingKey) {
    const call = await begin(table, signingKey.tenant)
    const key = signingKeyKey(signingKey.tenant, signingKey.kid)
    const mark = newMark()
    const Item = { ...keyOf(key), ...attributesOf(signingKey), w: { S: mark } }
    return (await writeIf(call, { put: { Item, ...IF_ABSENT } }, { key, mark })).applied
  },

  async move(tenant, kid, from, to, atSeconds) {
    const call = await begin(table, tenant)
    const key = signingKeyKey(tenant, kid)
    const mark = newMark()
    const stamps = [...(ENDED.has(to) ? ['endedAt'] : []), ...(to === 'prepared' ? [] : [MOVED_AT[to]])]
    const update = {
      Key: keyOf(key),
      UpdateExpression: `SET ${['#state = :to', 'w = :mark', ...stamps.map((at) => `${at} = if_not_exists(${at}, :at)`)].join(', ')}`,
      ConditionExpression: '#state = :from',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: {
        ':from': { S: from },
        ':to': { S: to },
        ':mark': { S: mark },
        ...(stamps.length === 0 ? {} : { ':at': { N: String(atSeconds) } }),
      },
    }
    return (await writeIf(call, { update }, { key, mark })).applied
  },

  async prove(tenant, kid, atSeconds) {
    const call = await begin(table, tenant)
    const key = signingKeyKey(tenant, kid)
    const mark = newMark()
    const update = {
      Key: keyOf(key),
      UpdateExpression: 'SET provenAt = :at, w = :mark',
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(provenAt)',
      ExpressionAttributeValues: { ':at': { N: String(atSeconds) }, ':mark': { S: mark } },
      ...NOTHING_BACK,
    }
    await writeIf(call, { update }, { key, mark })
  },

  async feedSecret(tenant, seal) {
    const call = await begin(table, tenant)
    const key = feedSecretKey(tenant)
    const stored = await getItem(call, key)
    if (stored !== null) return sealedOf(stored)
    const sealed = await seal()
    const mark = newMark()
    const Item = { ...keyOf(key), sealed: { B: sealed }, w: { S: mark } }
    const written = await writeIf(call, { put: { Item, ...IF_ABSENT } }, { key, mark })
    return written.applied ? sealed : sealedOf(written.existing ?? {})
  },
})

const ENDED: ReadonlySet<KeyState> = new Set(['retiring', 'retired', 'tainted'])

/** When a key came into each of its states, for whoever looks for its moves in the log. The first says it with the key itself. */
const MOVED_AT: Readonly<Record<KeyState, string>> = {
  prepared: 'createdAt',
  active: 'activatedAt',
  retiring: 'retiringAt',
  retired: 'retiredAt',
  tainted: 'taintedAt',
}

/** What a row tells of moves, and nothing that could be opened. */
export const KEY_MOVE_ATTRIBUTES: readonly string[] = ['sk', 'alg', 'use', ...Object.values(MOVED_AT)]

type KeyMove = Extract<ControlChange, { readonly what: 'key' }>

/** The move of a key into a state; null: its row tells of none, and nobody else says when it was. */
export const keyMoveOf = (
  row: Item,
  tenant: string,
  state: KeyState,
  otherwiseAtSeconds: number | null = null,
): KeyMove | null => {
  const atSeconds = numberOf(row, MOVED_AT[state]) ?? otherwiseAtSeconds
  if (atSeconds === null) return null
  const kid = kidOf(row)
  const [alg, use] = [textOf(row, 'alg') as OwnAlgorithm, textOf(row, 'use') as KeyUse]
  return { what: 'key', id: `key.${kid}.${state}`, tenant, atSeconds, kid, alg, use, state }
}

export const KEY_STATES = Object.keys(MOVED_AT) as readonly KeyState[]

const kidOf = (row: Item): string => textOf(row, 'sk').slice(signingKeyKey('', '').sk.length)

const attributesOf = (key: SigningKey): Item => ({
  alg: { S: key.alg },
  use: { S: key.use },
  state: { S: key.state },
  publicJwk: { S: JSON.stringify(key.publicJwk) },
  sealed: { B: key.sealed },
  createdAt: { N: String(key.createdAtSeconds) },
  ...optionalNumber('provenAt', key.provenAtSeconds),
  ...optionalNumber('activatedAt', key.activatedAtSeconds),
  ...optionalNumber('endedAt', key.endedAtSeconds),
})

export const signingKeyOf = (row: Item, tenant: string): SigningKey => ({
  tenant,
  kid: kidOf(row),
  alg: textOf(row, 'alg') as OwnAlgorithm,
  use: textOf(row, 'use') as KeyUse,
  state: textOf(row, 'state') as KeyState,
  publicJwk: JSON.parse(textOf(row, 'publicJwk')) as Readonly<Record<string, string>>,
  sealed: sealedOf(row),
  createdAtSeconds: numberOf(row, 'createdAt') ?? 0,
  provenAtSeconds: numberOf(row, 'provenAt'),
  activatedAtSeconds: numberOf(row, 'activatedAt'),
  endedAtSeconds: numberOf(row, 'endedAt'),
})

const sealedOf = (row: Item): Uint8Array => {
  const sealed = row['sealed']?.B
  if (sealed === undefined) throw new Error('a stored key has no sealed half')
  return sealed
}
