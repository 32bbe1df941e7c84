// The audit log of a tenant over HTTP (design §4, §5): scope audit:read and nobody else reads events and salts; the commands do from
// afar what they do beside the broker.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run as audit } from '../../bin/commands/audit.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { type RunningBroker, removeBroker } from '../support/broker.ts'
import { issuerKey } from '../support/evidence.ts'
import { captureIo } from '../support/io.ts'
import { call, type Right, startOperatorBroker, tokenOf } from '../support/operators.ts'
import { COMES_WITHIN_MS, until } from '../support/until.ts'

const key = issuerKey('RS256')
const MORE = LIMITS.auditPageMax
let broker: RunningBroker
let acme: string
let globex: string
let directory: string
let jti: string
let theirs: string

const mint = (right: Right, claims: Record<string, unknown> = {}) => tokenOf(acme, { key, right, claims })
const mintThere = (right: Right) => tokenOf(globex, { key, right, orgId: '7777777' })
const get = async (path: string, bearer: string, tenantUrl = acme) => {
  const { status, text } = await call(`${tenantUrl}/admin/${path}`, { bearer })
  return { status, text, body: JSON.parse(text) as Record<string, never> }
}
const mintmark = async (...args: string[]) => {
  const io = captureIo()
  const code = await audit(args, io)
  return { code, out: io.out(), err: io.err() }
}
const afar = async (...args: string[]) => {
  const file = join(directory, 'token')
  writeFileSync(file, (await mint('auditor')).token)
  return mintmark(...args, '--tenant-url', acme, '--token-file', file)
}
const beside = (...args: string[]) => mintmark(...args, '--tenant', 'acme', '--data', broker.dataDir)

const inLog = async (tenant: string, uid: string): Promise<void> => {
  await until(
    `${uid} in the log of ${tenant}`,
    () => mintmark('prove', uid, '--tenant', tenant, '--data', broker.dataDir),
    ({ code }) => code === 0,
  )
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mintmark-audit-http-'))
  ;({ broker, acme, globex } = await startOperatorBroker(key, ['--limits', 'off']))
  // More than two pages: an allow is more than one event.
  for (let count = 0; count < MORE; count += 8)
    await Promise.all(Array.from({ length: 8 }, (_, at) => mint('deploy', { run_id: String(4_000 + count + at) })))
  jti = (await mint('deploy', { run_id: '5150' })).jti
  theirs = (await mintThere('deploy')).jti
  await inLog('acme', jti)
  await inLog('globex', theirs)
})
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true })
  await removeBroker(broker)
})

const ROUTES = () => ['audit', 'audit/events', 'audit/search', `audit/proof?event=${jti}`]

describe('who may read it', () => {
  test('scope audit:read opens each route, and no other right does, not even admin', async () => {
    for (const path of ROUTES()) {
      expect((await get(path, (await mint('auditor')).token)).status, path).toBe(200)
      for (const right of ['operator', 'reader', 'revoker'] as const)
        expect((await get(path, (await mint(right)).token)).status, `${right} ${path}`).toBe(403)
      // For another audience: here it authenticates nobody.
      expect((await get(path, (await mint('deploy')).token)).status, path).toBe(401)
      expect((await call(`${acme}/admin/${path}`, {})).status, path).toBe(401)
    }
  })

  test('the challenge names the scope that is missing', async () => {
    const { headers } = await call(`${acme}/admin/audit`, { bearer: (await mint('operator')).token })
    expect(headers.get('www-authenticate')).toContain('scope="audit:read"')
  })

  test('nothing is read across tenants: not with a token of the other, not by an id or a filter of the other', async () => {
    const [mine, stranger] = [(await mint('auditor')).token, (await mintThere('auditor')).token]
    for (const path of ROUTES()) expect((await get(path, stranger)).status, path).toBe(401)
    expect((await get(`audit/proof?event=${theirs}`, stranger, globex)).status).toBe(200)
    const none = await get(`audit/proof?event=00000000-0000-7000-8000-000000000000`, mine)
    expect(await get(`audit/proof?event=${theirs}`, mine)).toEqual(none)
    let from: number | null = 0
    while (from !== null) {
      const { body } = await get(`audit/search?decision=${theirs}&from=${from}`, mine)
      expect(body['events']).toEqual([])
      from = body['next'] as unknown as number | null
    }
  })

  test.each([
    'audit?x=1',
    'audit/events?from=-1',
    'audit/events?from=01',
    'audit/events?from=1&from=2',
    'audit/events?from=',
    'audit/search?colour=red',
    'audit/search?limit=0',
    `audit/search?limit=${LIMITS.auditPageMax + 1}`,
    'audit/search?since=yesterday',
    'audit/proof',
    'audit/proof?event=%zz',
  ])('what the route does not take is 400, alike: %s', async (path) => {
    const { status, body } = await get(path, (await mint('auditor')).token)
    expect([status, body['error']]).toEqual([400, 'invalid_request'])
  })
})

test('a filter longer than any value of ours is 400', async () => {
  const path = `audit/search?run=${'1'.repeat(LIMITS.auditFilterCharsMax + 1)}`
  expect((await get(path, (await mint('auditor')).token)).status).toBe(400)
})

describe('pages', () => {
  test('events come all, in order and each once, however many pages it takes; a search goes on where the answer says', async () => {
    const bearer = (await mint('auditor')).token
    const { size } = (await get('audit', bearer)).body as unknown as { size: number }
    expect(size).toBeGreaterThan(2 * LIMITS.auditPageMax)
    const indices: number[] = []
    for (let from: number | null = 0; from !== null; ) {
      const { body } = await get(`audit/events?from=${from}`, bearer)
      const leaves = body['leaves'] as unknown as { index: number }[]
      expect(leaves.length).toBeLessThanOrEqual(LIMITS.auditPageMax)
      indices.push(...leaves.map(({ index }) => index))
      from = body['next'] as unknown as number | null
    }
    expect(indices.slice(0, size)).toEqual(Array.from({ length: size }, (_, index) => index))
    const first = (await get('audit/search?limit=1&code=granted', bearer)).body
    const second = (await get(`audit/search?limit=1&code=granted&from=${first['next']}`, bearer)).body
    expect([first['events'], second['events']].map((events) => (events as unknown as unknown[]).length)).toEqual([1, 1])
    expect(second['events']).not.toEqual(first['events'])
  })
})

describe('mintmark audit --tenant-url', () => {
  test.each([
    [['--run', '5150']],
    [['--project', '7654321', '--limit', '300']],
    [['--code', 'granted', '--since', '1h', '--limit', '5']],
    [['--run', 'nobody']],
  ])('search %s finds what it finds beside the broker', async (filters) => {
    const [there, here] = [await afar('search', ...filters, '--json'), await beside('search', ...filters, '--json')]
    const uids = ({ out }: { out: string }) =>
      JSON.parse(out).events.map((event: { metadata: object }) => event.metadata)
    expect(there.code).toBe(here.code)
    // The log grows under them, at its end.
    const [more, less] = [uids(there), uids(here)].sort((a, b) => b.length - a.length)
    expect(more.slice(0, less.length)).toEqual(less)
  })

  test('tail shows the last events', async () => {
    const { code, out } = await afar('tail', '--lines', '3', '--json')
    expect(code).toBe(0)
    expect(out.trimEnd().split('\n').length).toBeGreaterThanOrEqual(3)
  })

  test('prove gives a receipt that is good by itself, and the look-up is on record under the caller', async () => {
    const { code, out } = await afar('prove', jti)
    expect(code).toBe(0)
    const receipt = join(directory, 'receipt.json')
    writeFileSync(receipt, out)
    expect((await mintmark('verify', '--tenant', 'acme', '--from', receipt)).out).toMatch(/^good: the event is leaf/)
    const reads = async () => {
      const found = await beside('search', '--decision', jti, '--code', 'decision_read', '--json')
      return (JSON.parse(found.out) as { events: { actor: unknown }[] }).events
    }
    await expect.poll(async () => (await reads()).length).toBeGreaterThan(0)
    const [{ actor }] = (await reads()) as [{ actor: { user: { uid: string }; session: { uid: string } } }]
    expect(actor.user.uid).toBe('spiffe://acme.example/ops/7654321/auditor')
    // What somebody did with a token is found by who it was, and by the token.
    for (const by of [
      ['--identity', actor.user.uid],
      ['--credential', actor.session.uid],
    ]) {
      const found = await beside('search', ...by, '--code', 'decision_read', '--json')
      expect(found.out, by[0]).toContain(`"${jti}"`)
    }
    expect((await afar('prove', '00000000-0000-7000-8000-000000000000')).code).toBe(1)
  })

  test('an export from afar verifies as one from the data directory does', async () => {
    const out = join(directory, 'log')
    expect((await afar('export', '--out', out)).code).toBe(0)
    expect((await mintmark('verify', '--tenant', 'acme', '--from', out)).out).toMatch(/^good: /)
  })

  test('a token of another right is refused with exit 1; two places are wrong usage', async () => {
    const file = join(directory, 'other')
    writeFileSync(file, (await mint('operator')).token)
    const there = ['--tenant-url', acme, '--token-file', file]
    for (const verb of [['search'], ['tail'], ['export'], ['prove', jti], ['verify']])
      expect((await mintmark(...verb, ...there)).code, verb[0]).toBe(1)
    for (const more of [['--data', broker.dataDir], ['--tenant', 'globex'], ['--aws']])
      await expect(mintmark('search', ...there, ...more), more[0]).rejects.toThrow()
  })

  test('verify checks events page by page, says that records are not compared, and names an event that was altered', async () => {
    const good = await afar('verify', '--json')
    const report = JSON.parse(good.out) as { ok: boolean; events: number; size: number; warnings: string[] }
    expect([good.code, report.ok, report.events]).toEqual([0, true, report.size])
    expect(good.err).toContain('not compared with grant records')

    // Whoever can write the file can do so.
    const sqlite = new DatabaseSync(join(broker.dataDir, 'audit.db'), { timeout: COMES_WITHIN_MS })
    sqlite.exec(`DROP TRIGGER log_leaf_is_append_only;
      UPDATE log_leaf SET event = replace(event, '"class_uid"', '"Class_uid"') WHERE tenant = 'acme' AND leaf = 300`)
    sqlite.close()
    const bad = await afar('verify')
    expect([bad.code, bad.out]).toEqual([1, expect.stringContaining('first at index 300')])
  })
})
