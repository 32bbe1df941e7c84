// Keys of rows: no row of one tenant lies under a prefix that fences another, and distinct rows lie apart.
import { expect, test } from 'vitest'
import * as keys from '../../../lib/adapters/aws/table-keys.ts'

const rowsOf = (tenant: string): Record<string, { readonly pk: string; readonly sk: string }> => ({
  config: keys.currentConfigKey(tenant),
  version: keys.configVersionKey(tenant, 12),
  grant: keys.grantKey(tenant, 'guard'),
  outcome: keys.outcomeKey(tenant, 'guard'),
  proof: keys.proofKey(tenant, 'guard'),
  revocation: keys.revocationKey(tenant, { kind: 'run', issuer: 'github', value: '1#2' }),
  revocationVersion: keys.revocationVersionKey(tenant),
  key: keys.signingKeyKey(tenant, 'kid'),
  secret: keys.feedSecretKey(tenant),
})

/** StringLike of IAM: `*` is any run of characters, `#` among them. */
const isLike = (value: string, pattern: string): boolean =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  ).test(value)

test('every row of a tenant is reached by exactly one of its prefixes', () => {
  const fences = Object.entries(keys.leadingKeys('acme'))
  for (const [name, { pk }] of Object.entries(rowsOf('acme'))) {
    const reached = fences.filter(([, pattern]) => isLike(pk, pattern)).map(([fence]) => fence)
    expect([name, reached.length]).toEqual([name, 1])
  }
})

test('no prefix of one tenant reaches a row of another, not even of one whose name begins or ends like its own', () => {
  for (const other of ['acmecorp', 'acm', 'xacme', 'g', 'rv']) {
    const shared = new Set<string>([keys.leadingKeys('acme').tenantList, keys.leadingKeys('acme').issuerKeySets])
    for (const [fence, pattern] of Object.entries(keys.leadingKeys('acme')))
      for (const [name, { pk }] of Object.entries(rowsOf(other)))
        expect([fence, name, !shared.has(pattern) && isLike(pk, pattern)]).toEqual([fence, name, false])
  }
})

test('for all tenants (`*`) a prefix still reaches its own kind of row only: attest reads configuration, never keys', () => {
  const fences = keys.leadingKeys('*')
  const rows = rowsOf('acme')
  expect(isLike(rows['config']!.pk, fences.config)).toBe(true)
  for (const name of ['grant', 'proof', 'revocation', 'revocationVersion', 'key', 'secret'])
    expect([name, isLike(rows[name]!.pk, fences.config)]).toEqual([name, false])
  for (const name of ['config', 'grant', 'proof', 'key', 'secret'])
    expect([name, isLike(rows[name]!.pk, fences.revocations)]).toEqual([name, false])
})

test('two selectors never share a row', () => {
  const selectors = [
    { kind: 'run', issuer: 'github', value: '1' },
    { kind: 'run', issuer: 'gitlab', value: '1' },
    { kind: 'project', issuer: 'github', value: '1' },
    { kind: 'run', issuer: 'github', value: '2' },
    { kind: 'run', issuer: '', value: 'github#1' },
  ]
  const places = selectors.map((selector) => keys.revocationKey('acme', selector))
  expect(new Set(places.map(({ pk, sk }) => `${pk} ${sk}`)).size).toBe(selectors.length)
})

test('revocations and tenants are spread over all of their shards', () => {
  const many = Array.from({ length: 2_000 }, (_, at) => `tenant${at}`)
  const shards = many.map((value) => keys.revocationKey('acme', { kind: 'run', issuer: 'github', value }).pk)
  expect(new Set(shards)).toEqual(
    new Set(Array.from({ length: keys.REVOCATION_SHARDS }, (_, shard) => keys.revocationPartition('acme', shard))),
  )
  expect(new Set(many.map((tenant) => keys.tenantListKey(tenant).pk)).size).toBe(keys.TENANT_LIST_SHARDS)
})
