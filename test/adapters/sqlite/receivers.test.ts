// How far receivers are, against a model: whatever changes, is answered, in whichever order and by however many processes, what is
// pending is exactly what was not taken, under numbers without gaps.
import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createReceivers, OPEN_SETS, REFUSED_SETS } from '../../../lib/adapters/sqlite/receivers.ts'
import { createRevocationStore } from '../../../lib/adapters/sqlite/revocation-store.ts'
import { FORMAT, MIGRATIONS, REFUSALS } from '../../../lib/adapters/sqlite/schema.ts'
import { createTenantConfigStore } from '../../../lib/adapters/sqlite/tenant-config-store.ts'
import { SET_REFUSALS } from '../../../lib/domain/revocation-set.ts'
import { NOW_SECONDS, sampleConfig, sampleRevocation } from '../../contract/sample-rows.ts'
import { open, otherConnection, temporaryDirectory } from './temporary-database.ts'

const documentOf = (tenant: string, ...names: string[]) =>
  sampleConfig({
    tenant,
    version: 1,
    document: JSON.stringify({ receivers: Object.fromEntries(names.map((name) => [name, { type: 'poll' }])) }),
  })
const answer = (seq: number, problem: string | null = null) => ({
  seq,
  jti: `${seq}.x`,
  problem,
  status: null,
  bytes: null,
})

type Step =
  | { readonly kind: 'block' | 'lift' | 'cut'; readonly value: string }
  | { readonly kind: 'answer'; readonly at: number; readonly problem: string | null }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('block' as const, 'lift' as const, 'cut' as const),
    value: fc.constantFrom('1', '2'),
  }),
  fc.record({
    kind: fc.constant('answer' as const),
    at: fc.nat(8),
    problem: fc.constantFrom(null, null, 'invalid_key'),
  }),
)

test('what is pending is what was not taken: no change is passed over, merged with another, or given again', async () => {
  const dataDir = temporaryDirectory()
  const [database, other] = [open(dataDir), open(dataDir)]
  const store = createRevocationStore(database)
  const receivers = [createReceivers(database), createReceivers(other)]
  let runs = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      runs += 1
      const tenant = `t${runs}a`
      const key = { tenant, name: 'r' }
      await createTenantConfigStore(database).put(documentOf(tenant, 'r'))
      const model = new Map<number, string>()
      const problems = new Map<number, string>()
      let seq = 0
      let bound = NOW_SECONDS
      for (const [at, taken] of steps.entries()) {
        const { [at % 2]: mine } = receivers
        if (taken.kind === 'answer') {
          const [picked] = [...model.keys()].slice(taken.at)
          if (picked === undefined) continue
          await mine!.answer(key, [answer(picked, taken.problem)], NOW_SECONDS)
          if (taken.problem === null) model.delete(picked)
          else problems.set(picked, taken.problem)
        } else if (taken.kind === 'lift') {
          const found = (await store.list(tenant)).find((row) => row.value === taken.value && row.form === 'block')
          if (found === undefined) continue
          await store.lift({ tenant, id: found.id, by: 'x', reason: 'x', atSeconds: 1 })
          model.set(++seq, `lift ${taken.value}`)
        } else {
          const isKnown = (await store.list(tenant)).some((row) => row.value === taken.value && row.form === 'block')
          const cut = taken.kind === 'cut'
          const over = cut ? { form: 'cut' as const, notBeforeSeconds: ++bound } : {}
          const rest = { id: randomUUID(), tenant, kind: 'project' as const, issuer: 'github', value: taken.value }
          await store.put(sampleRevocation({ ...rest, ...over }))
          if (cut || !isKnown) model.set(++seq, `${taken.kind} ${taken.value}${cut ? ` ${bound}` : ''}`)
        }
      }
      const [mine] = receivers
      const pending = await mine!.pending(key, 100)
      const what = pending.map(({ seq: number, form, value, isLifted, notBeforeSeconds, problem }) => [
        number,
        `${isLifted ? 'lift' : form} ${value}${notBeforeSeconds === null ? '' : ` ${notBeforeSeconds}`}`,
        problem,
      ])
      const expected = [...model].map(([number, says]) => [number, says, problems.get(number) ?? null] as const)
      const isRefused = ([number]: readonly [number, ...unknown[]]) => problems.has(number)
      expect(what).toEqual([...expected.filter((one) => !isRefused(one)), ...expected.filter(isRefused)])
      const [state] = await mine!.list(tenant)
      expect(state).toMatchObject({ pending: model.size, refused: expected.filter(isRefused).length })
    }),
    { numRuns: 60 },
  )
})

test('what was taken is one row no longer than until all before it is taken', async () => {
  const database = open(temporaryDirectory())
  await createTenantConfigStore(database).put(documentOf('acme', 'r'))
  const receivers = createReceivers(database)
  for (const value of ['1', '2', '3'])
    await createRevocationStore(database).put(sampleRevocation({ id: randomUUID(), tenant: 'acme', value }))
  const key = { tenant: 'acme', name: 'r' }
  const rows = () => Number(database.read((sql) => sql('SELECT count(*) AS n FROM receiver_set').get())?.['n'])
  await receivers.answer(key, [answer(3), answer(2)], NOW_SECONDS)
  // The one that was passed over has a row too.
  expect(rows()).toBe(3)
  await receivers.answer(key, [answer(1)], NOW_SECONDS)
  expect([rows(), (await receivers.list('acme'))[0]?.pending]).toEqual([0, 0])
  // Late answers to what is long taken change nothing.
  await receivers.answer(key, [answer(2, 'invalid_key'), answer(1)], NOW_SECONDS)
  expect([rows(), (await receivers.list('acme'))[0]?.pending]).toEqual([0, 0])
})

test('what is pending is found by index, however much was taken or refused around it', async () => {
  const database = open(temporaryDirectory())
  await createTenantConfigStore(database).put(documentOf('acme', 'r'))
  const receivers = createReceivers(database)
  const key = { tenant: 'acme', name: 'r' }
  const many = 2_000
  await database.write((sql) => {
    const insert = sql(
      "INSERT INTO revocation (id, tenant, kind, issuer, value, form, reason, by, at, changed) VALUES (?, 'acme', 'run', 'github', ?, 'block', 'x', 'x', 5, 1)",
    )
    for (let at = 1; at <= many; at += 1) insert.run(randomUUID(), String(at))
  })
  const isRefused = (seq: number) => seq % 2 === 0
  const answers = Array.from({ length: many - 3 }, (_, at) => answer(at + 3, isRefused(at + 3) ? 'invalid_key' : null))
  await receivers.answer(key, answers, NOW_SECONDS)
  const told = Number(
    database.read((sql) => sql("SELECT count(*) AS n FROM control_change WHERE what = 'receiver'").get())?.['n'],
  )
  expect(told).toBe(many - 3)
  expect((await receivers.pending(key, 4)).map(({ seq, problem }) => [seq, problem])).toEqual([
    [1, null],
    [2, null],
    [many, null],
    [4, 'invalid_key'],
  ])
  const plans = database.read((sql) =>
    [OPEN_SETS, REFUSED_SETS].map((statement) =>
      sql(`EXPLAIN QUERY PLAN ${statement}`)
        .all('acme', 'r', 4)
        .map(({ detail }) => String(detail)),
    ),
  )
  expect(plans).toEqual([
    [expect.stringContaining('INDEX receiver_set_open (tenant=? AND name=?)')],
    [expect.stringContaining('INDEX receiver_set_refused (tenant=? AND name=?)')],
  ])
})

test('the indexes name every refusal there is: another one needs another step of the schema', () => {
  expect(REFUSALS).toBe(SET_REFUSALS.map((problem) => `'${problem}'`).join(', '))
})

test('receivers of documents from before this version begin where the store is, and that version goes on beside this one', async () => {
  const dataDir = temporaryDirectory()
  mkdirSync(dataDir, { recursive: true })
  const before = MIGRATIONS.findIndex((migration) => migration.includes('CREATE TABLE receiver'))
  const old = new DatabaseSync(join(dataDir, 'mintmark.db'))
  for (const migration of MIGRATIONS.slice(0, before)) old.exec(migration)
  old.exec(`PRAGMA user_version = ${FORMAT * 1000 + before}; INSERT INTO store (id, dev) VALUES (1, 0)`)
  const document = JSON.stringify({ receivers: { edge: { type: 'webhook', url: 'https://edge.example/' } } })
  const config = (version: number, text: string) =>
    old.prepare("INSERT INTO tenant_config VALUES ('acme', ?, '', '', '', 1, ?, '')").run(version, text)
  config(1, JSON.stringify({ receivers: { gone: { type: 'webhook' } } }))
  config(2, document)
  const insert =
    "INSERT INTO revocation VALUES (?, 'acme', 'run', 'github', ?, 'block', NULL, 'x', 'x', 5, 1, NULL, NULL, NULL, NULL)"
  old.prepare(insert).run(randomUUID(), '1')
  old.close()
  const receivers = createReceivers(open(dataDir))
  const key = { tenant: 'acme', name: 'edge' }
  expect(await receivers.list(null)).toMatchObject([{ ...key, pending: 0 }])
  // The statement of the version before, on the migrated store.
  const columns = '(id, tenant, kind, issuer, value, form, not_before, reason, by, at, changed)'
  otherConnection(dataDir)
    .prepare(
      `INSERT INTO revocation ${columns} VALUES (?, 'acme', 'run', 'github', '2', 'block', NULL, 'x', 'x', 5, 2)`,
    )
    .run(randomUUID())
  expect(await receivers.pending(key, 9)).toMatchObject([{ seq: 2, value: '2' }])
})
