// Orders over HTTP against the real broker (RFC 7009, design §5): by the holder, by scope revoke, by an operator; the command
// line from afar; and what nobody may. Longer than 300 lines: one broker serves all.
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run as decision } from '../../bin/commands/decision.ts'
import { run as revocations } from '../../bin/commands/revocations.ts'
import { run as revoke } from '../../bin/commands/revoke.ts'
import { run as unblock } from '../../bin/commands/unblock.ts'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createQueue } from '../../lib/adapters/sqlite/queue.ts'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { RevocationOrder } from '../../lib/domain/revocation-order.ts'
import { sampleRevocation } from '../contract/sample-rows.ts'
import { type RunningBroker, removeBroker } from '../support/broker.ts'
import { issuerKey } from '../support/evidence.ts'
import { captureIo } from '../support/io.ts'
import { call, type Right, startOperatorBroker, tokenOf } from '../support/operators.ts'
import { COMES_WITHIN_MS } from '../support/until.ts'

type Page = { readonly revocations: readonly unknown[]; readonly next: number | null }

const key = issuerKey('RS256')
let broker: RunningBroker
let acme: string
let globex: string
beforeAll(async () => {
  ;({ broker, acme, globex } = await startOperatorBroker(key))
})
afterAll(() => removeBroker(broker))

const mint = (right: Right, claims: Record<string, unknown> = {}) => tokenOf(acme, { key, right, claims })
const mintThere = (right: Right) => tokenOf(globex, { key, right, orgId: '7777777' })
const isLive = async (token: string): Promise<boolean> => {
  const reader = await mint('reader')
  const { text } = await call(`${acme}/introspect`, { bearer: reader.token, form: { token } })
  return (JSON.parse(text) as { active: boolean }).active
}
const isDeadSoon = (token: string) => expect.poll(() => isLive(token)).toBe(false)
const stored = (sql: string) => {
  const sqlite = new DatabaseSync(join(broker.dataDir, 'mintmark.db'), { timeout: COMES_WITHIN_MS })
  const rows = sqlite.prepare(sql).all()
  sqlite.close()
  return rows
}
const quarantined = () => stored('SELECT reason FROM quarantined_message')

describe('POST /revoke', () => {
  const revokeToken = (token: string, bearer: string, tenantUrl = acme) =>
    call(`${tenantUrl}/revoke`, { bearer, form: { token } })

  test('a job ends its own token, whatever it is for, and its evidence with it', async () => {
    const { token, jti } = await mint('deploy')
    expect(await revokeToken(token, token)).toMatchObject({ status: 200, text: '' })
    await isDeadSoon(token)
    // Its own credential is dead now, and so cannot ask again.
    expect((await revokeToken(token, token)).status).toBe(401)
    const kinds = stored(`SELECT kind FROM revocation WHERE by LIKE '%${jti}' ORDER BY kind`)
    expect(kinds.map(({ kind }) => kind)).toEqual(['assertion', 'credential'])
    expect(quarantined()).toEqual([])
  })

  test('a holder’s order goes ahead of a storm', async () => {
    const sqlite = new DatabaseSync(join(broker.dataDir, 'mintmark.db'), { timeout: COMES_WITHIN_MS })
    sqlite.exec(`CREATE TABLE seen_lane (urgent INTEGER);
      CREATE TRIGGER see_lane AFTER INSERT ON queue_message BEGIN INSERT INTO seen_lane VALUES (new.urgent); END`)
    try {
      const { token } = await mint('deploy')
      await revokeToken(token, token)
      expect(sqlite.prepare('SELECT urgent FROM seen_lane').all()).toEqual([{ urgent: 1 }])
    } finally {
      sqlite.exec('DROP TRIGGER see_lane; DROP TABLE seen_lane')
      sqlite.close()
    }
  })

  test('without a scope a caller may end nothing else, and the answer does not tell whether there is such a token', async () => {
    const [mine, other] = [await mint('deploy'), await mint('deploy')]
    const answers = await Promise.all(
      [other.token, 'no token', (await mintThere('deploy')).token].map(async (token) => {
        const { status, text } = await revokeToken(token, mine.token)
        return [status, { ...(JSON.parse(text) as object), decision_id: '' }]
      }),
    )
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]?.[0]).toBe(401)
    expect(await isLive(other.token)).toBe(true)
  })

  test('scope admin in a token for another audience is no scope here', async () => {
    // The deploy grant issues the scopes admin and introspect, for a resource server that has its own meaning for them.
    const [mine, other] = [await mint('deploy'), await mint('deploy')]
    expect((await revokeToken(other.token, mine.token)).status).toBe(401)
    expect((await call(`${acme}/admin/revocations`, { bearer: mine.token })).status).toBe(401)
  })

  test('scope revoke ends one token of the tenant; of what is none, or of another tenant, it is told nothing', async () => {
    const [revoker, mine, theirs] = [await mint('revoker'), await mint('deploy'), await mintThere('deploy')]
    for (const token of [mine.token, theirs.token, 'no token', `${mine.token}x`])
      expect(await revokeToken(token, revoker.token)).toMatchObject({ status: 200, text: '' })
    await isDeadSoon(mine.token)
    const there = await mintThere('reader')
    const told = await call(`${globex}/introspect`, { bearer: there.token, form: { token: theirs.token } })
    expect(JSON.parse(told.text)).toMatchObject({ active: true })
    expect((await call(`${acme}/admin/revocations`, { bearer: revoker.token })).status).toBe(403)
  })

  test('no credentials 401, no token 400, another method 405', async () => {
    const { token } = await mint('deploy')
    expect((await call(`${acme}/revoke`, { form: { token } })).status).toBe(401)
    expect((await call(`${acme}/revoke`, { bearer: token, form: { other: '1' } })).status).toBe(400)
    expect((await call(`${acme}/revoke`, { bearer: token })).status).toBe(405)
  })
})

describe('an operator, from afar', () => {
  const operate = async (run: typeof revoke, args: readonly string[], bearer?: string, tenantUrl = acme) => {
    const file = join(broker.tenantsDir, '..', 'operator.token')
    writeFileSync(file, `${bearer ?? (await mint('operator')).token}\n`)
    const io = captureIo()
    const code = await run([...args, '--tenant-url', tenantUrl, '--token-file', file, '--json'], io)
    return { code, stderr: io.err(), json: JSON.parse(io.out() || 'null') as Record<string, never> }
  }

  test('revoke, revocations, decision, unblock: each does over HTTP what it does beside the broker', async () => {
    const { token, jti } = await mint('deploy', { run_id: '5150' })
    const why = ['--reason', 'runner compromised'] as const
    const would = await operate(revoke, ['--run', '5150', '--dry-run'])
    expect([would.code, (would.json['hits'] as unknown as { credentials: number }).credentials]).toEqual([0, 1])
    expect(await isLive(token)).toBe(true)

    const done = await operate(revoke, ['--run', '5150', ...why])
    expect([done.code, done.stderr, done.json['kind']]).toEqual([0, '', 'in_force'])
    expect(await isLive(token)).toBe(false)
    const [id] = done.json['revocations'] as unknown as string[]
    const listed = await operate(revocations, [])
    const rows = listed.json['revocations'] as unknown as { id: string; by: string; reason: string }[]
    expect(rows.find((row) => row.id === id)).toMatchObject({
      reason: 'runner compromised',
      by: expect.stringMatching(/^spiffe:\/\/acme\.example\/ops\/7654321\/operator [0-9a-f-]{36}$/),
    })
    expect(JSON.stringify(listed.json)).not.toContain('eyJ')

    const why2 = await operate(decision, [jti])
    expect(why2.json).toMatchObject({ kind: 'allow', record: { decisionId: jti, grant: 'deploy' } })
    expect((why2.json['explanation'] as unknown as { rows: unknown[] }).rows.length).toBeGreaterThan(0)

    expect((await operate(unblock, [id!, '--reason', 'found clean'])).code).toBe(0)
    await expect.poll(() => isLive(token)).toBe(true)
    expect(quarantined()).toEqual([])
  })

  test('what is in force comes a page at a time, all of it, each once', async () => {
    const database = openDatabase({ dataDir: broker.dataDir, dev: null })
    const store = createRevocationStore(database)
    const many = LIMITS.adminPageMax + 20
    const before = (await store.list('acme')).length
    const block = (value: string) => sampleRevocation({ id: randomUUID(), tenant: 'acme', kind: 'run', value })
    await Promise.all(Array.from({ length: many }, (_, at) => store.put(block(`many-${at}`))))
    database.close()
    const { token } = await mint('operator')
    const page = async (query: string) =>
      JSON.parse((await call(`${acme}/admin/revocations${query}`, { bearer: token })).text) as Page
    const first = await page('')
    expect([first.revocations.length, typeof first.next]).toEqual([LIMITS.adminPageMax, 'number'])
    const second = await page(`?after=${first.next}`)
    expect([second.revocations.length, second.next]).toEqual([before + many - LIMITS.adminPageMax, null])
    const { json } = await operate(revocations, [], token)
    const ids = (json['revocations'] as unknown as { id: string }[]).map(({ id }) => id)
    expect([ids.length, new Set(ids).size]).toEqual([before + many, before + many])
    for (const query of ['?after=', '?after=-1', '?after=01', '?x=1', '?after=1&after=2'])
      expect((await call(`${acme}/admin/revocations${query}`, { bearer: token })).status, query).toBe(400)
  })

  test('the order that ends the operator’s own token is carried out, and once', async () => {
    const operator = await mint('operator')
    await operate(revoke, ['--jti', operator.jti, '--reason', 'leaked'], operator.token)
    await isDeadSoon(operator.token)
    expect((await operate(revocations, [], operator.token)).code).toBe(1)
    expect(quarantined()).toEqual([])
  })

  test.each([
    ['an issuer of no version', ['--run', 'gitlab/1']],
    ['an identity of another trust domain', ['--sub', 'spiffe://globex.example/x']],
    ['a cut of what is always a block', ['--run', '1', '--cut']],
  ])('refused before it is accepted: %s', async (_, args) => {
    expect((await operate(revoke, [...args, '--reason', 'x'])).code).toBe(1)
  })

  test('nothing is read or ended across tenants', async () => {
    const theirs = await mintThere('deploy')
    const operator = await mint('operator')
    expect((await operate(decision, [theirs.jti], operator.token)).code).toBe(1)
    const order = await operate(revoke, ['--jti', theirs.jti, '--reason', 'x'], operator.token)
    // A block of an id that is none of acme's hits nothing: theirs lives.
    expect(order.code).toBe(0)
    const reader = await mintThere('reader')
    const told = await call(`${globex}/introspect`, { bearer: reader.token, form: { token: theirs.token } })
    expect(JSON.parse(told.text)).toMatchObject({ active: true })
    for (const path of ['revocations', 'receivers', `decisions/${theirs.jti}`, `orders/${theirs.jti}`])
      expect((await call(`${globex}/admin/${path}`, { bearer: operator.token })).status).toBe(401)
    const blockedThere = await operate(
      revoke,
      ['--run', '1', '--reason', 'x'],
      (await mintThere('operator')).token,
      globex,
    )
    const [id] = blockedThere.json['revocations'] as unknown as string[]
    expect((await operate(unblock, [id!, '--reason', 'x'], operator.token)).code).toBe(1)
  })

  test('a block of the whole tenant is not lifted by a token, not even by one that lives', async () => {
    const operator = await mint('operator')
    const io = captureIo()
    const beside = ['--tenant', 'acme', '--all', '--reason', 'x', '--data', broker.dataDir, '--json']
    expect(await revoke(beside, io)).toBe(0)
    const [id] = (JSON.parse(io.out()) as { revocations: string[] }).revocations
    expect((await operate(unblock, [id!, '--reason', 'x'], operator.token)).code).toBe(1)
    expect(await unblock([id!, '--reason', 'x', '--data', broker.dataDir], captureIo())).toBe(0)
  })

  test.each(['reader', 'revoker', 'auditor', 'deploy'] as const)(
    'a %s token opens nothing below admin/',
    async (right) => {
      const { token, jti } = await mint(right)
      const body = { kind: 'run', value: '1', reason: 'x' }
      for (const [path, json] of [
        ['revocations', undefined],
        ['receivers', undefined],
        ['revocations', body],
        [`revocations/${jti}/unblock`, { reason: 'x' }],
        [`decisions/${jti}`, undefined],
        [`orders/${jti}`, undefined],
      ] as const)
        expect((await call(`${acme}/admin/${path}`, { bearer: token, json })).status).toBe(
          right === 'deploy' ? 401 : 403,
        )
    },
  )

  test('unknown paths are 404, other methods 405, forms 415, and bodies that are no order 400', async () => {
    const { token: bearer } = await mint('operator')
    const status = async (path: string, more: Parameters<typeof call>[1] = {}) =>
      (await call(`${acme}/admin/${path}`, { bearer, ...more })).status
    expect(await status('')).toBe(404)
    expect(await status('decisions/x')).toBe(404)
    expect(await status('decisions/01900000-0000-7000-8000-000000000000')).toBe(404)
    expect(await status('revocations', { method: 'DELETE' })).toBe(405)
    expect(await status('revocations', { form: { a: '1' } })).toBe(415)
    expect(await status('revocations', { json: { kind: 'run', value: '1' } })).toBe(400)
    expect(await status('revocations', { json: { kind: 'run', value: '1', reason: 'x', tenant: 'globex' } })).toBe(400)
    expect(await status('revocations', { json: { kind: 'everything', value: '1', reason: 'x' } })).toBe(400)
  })

  test('an order whose members come twice is none: whoever reviews the first, the last would be carried out', async () => {
    const response = await fetch(`${acme}/admin/revocations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${(await mint('operator')).token}`, 'content-type': 'application/json' },
      body: '{"kind":"run","value":"8080","value":"9090","reason":"x","dry_run":true}',
    })
    expect(response.status).toBe(400)
  })
})

test('a tenant that is none is 404 at every endpoint, whatever the method, the media type and the size', async () => {
  const paths = ['token', 'introspect', 'revoke', 'events', 'admin/revocations', 'receivers/edge/poll', 'jwks.json']
  const large = 'x'.repeat(LIMITS.bodyBytesMax + 1)
  for (const path of [...paths, 'revocations', 'log/checkpoint', '.well-known/openid-configuration'])
    for (const asked of [{}, { method: 'DELETE' }, { method: 'POST', body: '{}' }, { method: 'POST', body: large }]) {
      const { status } = await fetch(`${acme.replace('acme', 'nobody')}/${path}`, asked)
      expect([path, asked.method, status]).toEqual([path, asked.method, 404])
    }
})

test('keys are listed, rotated and tainted from afar by an operator alone, and who ordered it is told to the log', async () => {
  const { token: bearer } = await mint('operator')
  type Answer = { readonly keys: { kid: string; use: string; state: string }[]; readonly moves: { kind: string }[] }
  const ask = async (path: string, json?: object) =>
    JSON.parse((await call(`${acme}/admin/${path}`, { bearer, json })).text) as Answer
  const log = (await ask('keys')).keys.find(({ use }) => use === 'log')!
  expect((await ask('keys/rotate', {})).moves.map(({ kind }) => kind)).toContain('generate')
  expect((await call(`${acme}/admin/keys/rotate`, { bearer, json: { all: true } })).status).toBe(400)
  const tainted = await ask(`keys/${log.kid}/taint`, { reason: 'found in a log' })
  expect(tainted.keys.find(({ kid }) => kid === log.kid)?.state).toBe('tainted')
  expect((await call(`${acme}/admin/keys/${'A'.repeat(43)}/taint`, { bearer, json: { reason: 'x' } })).status).toBe(404)
  const told = stored("SELECT body FROM control_change WHERE what = 'key_order' ORDER BY seq").map(({ body }) =>
    JSON.parse(String(body)),
  )
  const by = expect.stringContaining('/operator ')
  expect(told).toEqual([
    { order: 'rotate', kid: null, by, reason: '' },
    { order: 'taint', kid: log.kid, by, reason: 'found in a log' },
  ])
  for (const [right, status] of [
    ['reader', 403],
    ['auditor', 403],
    ['deploy', 401],
  ] as const)
    expect((await call(`${acme}/admin/keys/rotate`, { bearer: (await mint(right)).token, json: {} })).status).toBe(
      status,
    )
  const theirs = await mintThere('operator')
  expect((await call(`${acme}/admin/keys`, { bearer: theirs.token })).status).toBe(401)
})

describe('whoever can write to the queue', () => {
  const order = (token: string, changes: Partial<RevocationOrder> = {}): RevocationOrder => ({
    v: 1,
    id: randomUUID(),
    tenant: 'acme',
    selectors: [{ kind: 'run', issuer: 'github', value: '1' }],
    form: 'block',
    reason: 'forged',
    proof: { kind: 'token', token },
    orderedAtSeconds: Math.floor(Date.now() / 1000),
    ...changes,
  })
  const afterHour = Math.floor(Date.now() / 1000) + 3600
  const forged: readonly (readonly [string, () => Promise<object>])[] = [
    ['with a token of no right', async () => order((await mint('deploy')).token)],
    ['with scope revoke, for a predicate', async () => order((await mint('revoker')).token)],
    [
      'with scope revoke, for a credential and an assertion that is not its own',
      async () => {
        const { jti } = await mint('deploy')
        const assertion = { kind: 'assertion', issuer: '', value: 'A'.repeat(43) } as const
        const selectors = [{ kind: 'credential', issuer: '', value: jti } as const, assertion]
        return order((await mint('revoker')).token, { selectors })
      },
    ],
    ['with an operator of another tenant', async () => order((await mintThere('operator')).token)],
    ['from before the token was issued', async () => order((await mint('operator')).token, { orderedAtSeconds: 1 })],
    ['from the future', async () => order((await mint('operator')).token, { orderedAtSeconds: afterHour })],
    [
      'with a token of which the signature is gone',
      async () => order((await mint('operator')).token.replace(/\.[^.]+$/, '')),
    ],
    [
      'a lift by scope revoke',
      async () => {
        const { selectors: _, form: __, ...lift } = order((await mint('revoker')).token)
        return { ...lift, lifts: randomUUID() }
      },
    ],
  ]
  test.each(forged)('has nothing carried out %s', async (_, make) => {
    const message = (await make()) as { id: string }
    const database = openDatabase({ dataDir: broker.dataDir, dev: null })
    try {
      await createQueue(database, 'revoke', systemClock).send(message, { group: 'acme', dedupe: message.id })
    } finally {
      database.close()
    }
    const reason = () => stored(`SELECT reason FROM quarantined_message WHERE body LIKE '%${message.id}%'`)
    await expect.poll(reason).toEqual([{ reason: 'proof_not_accepted' }])
    expect(stored("SELECT 1 FROM revocation WHERE reason = 'forged'")).toEqual([])
  })
})
