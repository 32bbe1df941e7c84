// Versions of tenant documents in DynamoDB. A version's row is put if it is absent, and that put is the decision who was
// first; `CUR` then follows it. Whoever finds a version that `CUR` does not name yet moves it there before going on, so a
// writer that died half way leaves nothing behind but work for the next. Only `mintmark apply` has the right to write here.
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { LIMITS } from '../../domain/limits.ts'
import type { ConfigVersion, TenantConfigStore } from '../../ports/tenants.ts'
import { listReceiving, receiversFrom } from './dynamo-receiver-beginnings.ts'
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
  queryAll,
  type Table,
  textOf,
  write,
  writeIf,
} from './dynamo-request.ts'
import {
  CONFIG_VERSION_PREFIX,
  configVersionKey,
  currentConfigKey,
  TENANT_LIST_SHARDS,
  tenantListKey,
  tenantListPartition,
} from './table-keys.ts'

/** Keys of one BatchGetItem. */
const BATCH = 100

export const createTenantConfigStore = (table: Table): TenantConfigStore => ({
  async latest(tenant) {
    const call = await begin(table, tenant)
    const current = currentOf(await getItem(call, currentConfigKey(tenant)))
    if (current === null) return null
    const row = await getItem(call, configVersionKey(tenant, current.version))
    if (row === null) throw new Error('the current version of a tenant has no row')
    return { version: versionOf(row, tenant), tombstonedAtSeconds: current.tombstonedAtSeconds }
  },

  async list() {
    const call = await begin(table, null)
    const shards = Array.from({ length: TENANT_LIST_SHARDS }, (_, shard) => tenantListPartition(shard))
    const listed = (await Promise.all(shards.map((pk) => queryAll(call, { pk })))).flat()
    const tenants = listed.map((row) => textOf(row, 'sk')).sort()
    const found = []
    for (let at = 0; at < tenants.length; at += BATCH) {
      const some = tenants.slice(at, at + BATCH)
      const rows = await getItems(call, some.map(currentConfigKey))
      // A tenant is listed before its first version is current.
      for (const tenant of some) {
        const current = currentOf(rows.get(nameOf(currentConfigKey(tenant))) ?? null)
        if (current !== null) found.push({ tenant, ...current })
      }
    }
    return found
  },

  async version(tenant, version) {
    const row = await getItem(await begin(table, tenant), configVersionKey(tenant, version))
    return row === null ? null : versionOf(row, tenant)
  },

  async seen(tenant, digest) {
    const call = await begin(table, tenant)
    const current = currentOf(await getItem(call, currentConfigKey(tenant)))
    const versions = await queryAll(call, { pk: currentConfigKey(tenant).pk, prefix: CONFIG_VERSION_PREFIX })
    return versions.some(
      (row) => row['digest']?.S === digest && (numberOf(row, 'version') ?? 0) < (current?.version ?? 0),
    )
  },

  async put(version) {
    const { tenant } = version
    const call = await begin(table, tenant)
    const current = currentOf(await getItem(call, currentConfigKey(tenant)))
    if (version.version !== (current?.version ?? 0) + 1) return false
    if (current === null) await write(call, { put: { Item: keyOf(tenantListKey(tenant)) } })
    await listReceiving(call, version)
    const mark = newMark()
    const key = configVersionKey(tenant, version.version)
    const item = { ...keyOf(key), ...attributesOf(version), w: { S: mark } }
    const request = { put: { Item: item, ConditionExpression: 'attribute_not_exists(pk)' } }
    const written = await writeIf(call, request, { key, mark })
    await makeCurrent(call, version.tenant, written.applied ? item : written.existing!)
    return written.applied
  },

  async tombstone(tenant, atSeconds, by) {
    const update = {
      Key: keyOf(currentConfigKey(tenant)),
      UpdateExpression:
        'SET tombstonedAt = if_not_exists(tombstonedAt, :at), tombstonedBy = if_not_exists(tombstonedBy, :by)',
      ExpressionAttributeValues: { ':at': { N: String(atSeconds) }, ':by': { S: by } },
    }
    await write(await begin(table, tenant), { update })
  },
})

/** Moves `CUR` from the version before to the one of this row. Where it has been moved already, there is nothing to do. */
const makeCurrent = async (call: Call, tenant: string, row: Item): Promise<void> => {
  const version = numberOf(row, 'version')!
  const receivers = await receiversFrom(call, versionOf(row, tenant))
  const mark = newMark()
  const key = currentConfigKey(tenant)
  const update = {
    Key: keyOf(key),
    UpdateExpression: 'SET #version = :version, #digest = :digest, #receivers = :receivers, w = :mark',
    ConditionExpression: version === 1 ? 'attribute_not_exists(#version)' : '#version = :before',
    ExpressionAttributeNames: { '#version': 'version', '#digest': 'digest', '#receivers': 'receivers' },
    ExpressionAttributeValues: {
      ':receivers': receivers,
      ':version': { N: String(version) },
      ':digest': row['digest']!,
      ':mark': { S: mark },
      ...(version === 1 ? {} : { ':before': { N: String(version - 1) } }),
    },
  }
  await writeIf(call, { update }, { key, mark })
}

type Current = { readonly version: number; readonly digest: string; readonly tombstonedAtSeconds: number | null }

const currentOf = (row: Item | null): Current | null => {
  const version = row === null ? null : numberOf(row, 'version')
  if (row === null || version === null) return null
  return { version, digest: textOf(row, 'digest'), tombstonedAtSeconds: numberOf(row, 'tombstonedAt') }
}

// An item holds 400 KB, a document 1 MiB; text of this kind deflates to a fifth.
const attributesOf = ({ version, digest, author, commit, appliedAtSeconds, document, diff }: ConfigVersion): Item => {
  const body = deflateRawSync(JSON.stringify({ document, diff }))
  if (body.length > LIMITS.configDocumentBytesMax) throw new RangeError('the document does not fit into one row')
  return {
    version: { N: String(version) },
    digest: { S: digest },
    author: { S: author },
    commit: { S: commit },
    appliedAt: { N: String(appliedAtSeconds) },
    b: { B: body },
  }
}

const INFLATED_BYTES_MAX = 8 * LIMITS.tenantDocumentBytesMax

export const versionOf = (row: Item, tenant: string): ConfigVersion => {
  const text = inflateRawSync(row['b']!.B!, { maxOutputLength: INFLATED_BYTES_MAX }).toString()
  const { document, diff } = JSON.parse(text) as Pick<ConfigVersion, 'document' | 'diff'>
  return {
    tenant,
    version: numberOf(row, 'version')!,
    digest: textOf(row, 'digest'),
    author: textOf(row, 'author'),
    commit: textOf(row, 'commit'),
    appliedAtSeconds: numberOf(row, 'appliedAt')!,
    document,
    diff,
  }
}
