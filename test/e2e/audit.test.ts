// The audit log of a running broker, as operators and strangers see it: everything that happened is in it as OCSF, the public
// part verifies over HTTP by what the specifications say, and whatever is done to the files afterwards is named. Longer than 300
// lines: one broker, which takes seconds to have a log, serves all.
import { createPublicKey, hash, verify as verifySignature } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { run as audit } from '../../bin/commands/audit.ts'
import { run as decision } from '../../bin/commands/decision.ts'
import { run as revoke } from '../../bin/commands/revoke.ts'
import { run as unblock } from '../../bin/commands/unblock.ts'
import type { OcsfEvent } from '../../lib/domain/ocsf/event.ts'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { captureIo } from '../support/io.ts'
import { hasOcsfSchema, loadOcsfSchema } from '../support/ocsf-schema.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'
import { COMES_WITHIN_MS, until } from '../support/until.ts'

const ALLOWS = 150
const key = issuerKey('RS256')
let broker: RunningBroker
let acme: string
const secrets: string[] = []
const decisions: string[] = []
let events: OcsfEvent[] = []

const mintmark = async (command: typeof audit, ...args: string[]) => {
  const io = captureIo()
  const code = await command(args, io)
  return { code, out: io.out(), err: io.err() }
}
const ofAcme = (...args: string[]) => mintmark(audit, ...args, '--tenant', 'acme', '--data', broker.dataDir)

const mint = async (claims: Record<string, unknown> = {}) => {
  const assertion = signAssertion(key, githubClaims(acme, claims))
  const answer = await exchange(acme, assertion, { audience: TARGET })
  secrets.push(
    ...assertion.split('.').slice(1),
    String(answer.body['access_token'] ?? '')
      .split('.')
      .at(-1) ?? '',
  )
  return { assertion, answer }
}

const inLog = async (uid: string): Promise<void> => {
  await until(
    `${uid} in the log`,
    () => ofAcme('prove', uid),
    ({ code }) => code === 0,
  )
}

beforeAll(async () => {
  broker = await startBroker({
    tenants: {
      acme: `${githubTenant('acme', { keys: [key] })}\nsinks:\n  local: { type: jsonl, path: acme-audit.jsonl }\n`,
      globex: githubTenant('globex', { keys: [key], orgId: '7777777' }),
    },
    args: ['--limits', 'off'],
  })
  acme = `${broker.url}/t/acme`
  const first = await mint()
  await exchange(acme, first.assertion, { audience: TARGET })
  await exchange(acme, 'no.token.atall', { audience: TARGET })
  await exchange(acme, signAssertion(issuerKey('RS256', key.kid), githubClaims(acme)), { audience: TARGET })
  for (let count = 0; count < ALLOWS; count += 1) {
    const { answer } = await mint({ run_id: String(1_000 + count) })
    expect(answer.status).toBe(200)
    decisions.push(String(answer.body['decision_id']))
  }
  const io = captureIo()
  const order = ['--tenant', 'acme', '--project', '999', '--reason', 'a test', '--data', broker.dataDir, '--json']
  expect(await revoke(order, io)).toBe(0)
  const [revocation] = (JSON.parse(io.out()) as { revocations: string[] }).revocations
  expect(await unblock([revocation!, '--reason', 'it is over', '--data', broker.dataDir], captureIo())).toBe(0)
  expect((await mintmark(decision, decisions[0]!, '--data', broker.dataDir)).code).toBe(0)
  await inLog(`unblock.${revocation}`)
  await inLog(decisions.at(-1)!)
  // And the look-up, which nobody waits for.
  const { out } = await until(
    'the look-up in the log',
    () => ofAcme('tail', '--lines', '100000', '--json'),
    (tail) => tail.out.includes('decision_read'),
  )
  events = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as OcsfEvent)
})
afterAll(() => removeBroker(broker))

const codes = () => events.map((event) => `${event.type_uid} ${String(event['status_code'])}`)
const count = (code: string) => codes().filter((one) => one === code).length

describe('what is in the log', () => {
  test('every allow once, every denial, the replay and the forgery as findings', () => {
    expect(count('300204 granted')).toBe(ALLOWS + 1)
    expect(count('300301 scope_granted')).toBe(ALLOWS + 1)
    expect(count('600301 replayed')).toBe(1)
    expect(count('200401 replay')).toBe(1)
    expect(
      count('600301 token_not_compact') + count('600301 json_invalid') + count('600301 base64url_not_canonical'),
    ).toBe(1)
    expect(count('200401 forgery')).toBe(1)
    for (const id of decisions) expect(events.some(({ metadata }) => metadata.uid === id)).toBe(true)
  })

  test('what operators did: document, keys, revocation, unblock, look-up', () => {
    for (const code of ['300401 config_applied', '300401 key_prepared', '300410 key_active', '300404 revoked'])
      expect(codes(), code).toContain(code)
    expect(codes()).toContain('300408 unblocked')
    expect(codes()).toContain('300402 decision_read')
  })

  test('the sequence has no gaps, and nothing of another tenant is among it', () => {
    expect(events.map(({ metadata }) => metadata['sequence'])).toEqual(events.map((_, index) => index))
    for (const { metadata } of events) expect(metadata.tenant_uid).toBe('acme')
  })

  test.skipIf(!hasOcsfSchema())('every event is valid OCSF', () => {
    const problemsOf = loadOcsfSchema()
    for (const event of events) expect(problemsOf(event), JSON.stringify(event)).toEqual([])
  })

  test('no part of a token or an assertion is in any file of the log', () => {
    const files = readdirSync(broker.dataDir).filter((name) => name.startsWith('audit.db'))
    expect(files).toContain('audit.db')
    const bytes = Buffer.concat(files.map((name) => readFileSync(join(broker.dataDir, name))))
    const found = secrets.filter((secret) => secret.length > 20 && bytes.includes(secret))
    expect(found).toEqual([])
    expect(secrets.length).toBeGreaterThan(ALLOWS)
  })
})

describe('the jsonl sink', () => {
  test('has every event once, in the order of the log, as CloudEvents, and the checkpoints between', async () => {
    type Received = { readonly id: string; readonly source: string; readonly data: OcsfEvent }
    const isOfLog = ({ data }: Received) => data['status_code'] !== 'checkpoint'
    // A line that is being written has no end yet.
    const written = () =>
      readFileSync(join(broker.dataDir, 'acme-audit.jsonl'), 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Received)
    const received = await until('the log at the sink, and a checkpoint', written, (all) => {
      const ofLog = all.filter(isOfLog)
      return ofLog.length >= events.length && ofLog.length < all.length
    })
    const ofLog = received.filter(isOfLog)
    expect(ofLog.slice(0, events.length).map(({ data }) => data)).toEqual(events)
    expect(new Set(received.map(({ id }) => id)).size).toBe(received.length)
    for (const { source } of received) expect(source).toBe(acme)
    const checkpoints = received.filter(({ data }) => data['status_code'] === 'checkpoint')
    expect(checkpoints.length).toBeGreaterThan(0)
    const anchor = (checkpoints.at(-1)!.data['unmapped'] as { mintmark: { note: string } }).mintmark.note
    const checked = await ofAcme('verify', '--anchor', await anchorOf(anchor))
    expect([checked.code, checked.err]).toEqual([0, ''])
  })
})

describe('commands', () => {
  test('search finds by identity, project, run, decision, credential, code and time', async () => {
    const found = async (...args: string[]) =>
      (JSON.parse((await ofAcme('search', ...args, '--limit', '1000', '--json')).out) as { events: OcsfEvent[] }).events
    expect(await found('--run', '1007')).toHaveLength(1)
    expect(await found('--decision', decisions[3]!)).toHaveLength(2)
    expect(await found('--credential', decisions[3]!)).toHaveLength(2)
    expect(await found('--project', '999')).toHaveLength(1)
    expect(await found('--identity', 'spiffe://acme.example/ci/7654321/production', '--code', 'granted')).toHaveLength(
      ALLOWS + 1,
    )
    expect((await found('--since', '1h')).length).toBe(events.length)
    expect((await ofAcme('search', '--until', '2020-01-01T00:00:00Z')).code).toBe(1)
    // What Date.parse makes something of all the same.
    for (const time of ['10', 'garbage 1', '2026', '2026-11-26 12:00', '30min'])
      await expect(ofAcme('search', '--since', time), time).rejects.toThrow('a time is as in')
  })

  test('a receipt verifies without the log, and one of another event does not', async () => {
    const { out, code } = await ofAcme('prove', decisions[5]!)
    expect(code).toBe(0)
    const folder = mkdtempSync(join(tmpdir(), 'mintmark-receipt-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'receipt.json')
    const check = async (text: string) => {
      writeFileSync(path, text)
      return mintmark(audit, 'verify', '--tenant', 'acme', '--from', path)
    }
    expect((await check(out)).code).toBe(0)
    expect((await check(out.replace('"granted"', '"denied"'))).code).toBe(1)
    expect((await check(out.replace(/index \d+/, 'index 0'))).code).toBe(1)
    for (const none of ['', out.slice(0, 300), 'null', '{}', out.replace('"vkeys": [', '"vkeys": [3, ')])
      expect(await check(none)).toMatchObject({
        code: 1,
        out: 'BAD: the file is no receipt of "audit prove", or not all of one\n',
      })
    const keyless = out.replace(/"vkeys": \[[^\]]+\]/, '"vkeys": ["no key"]')
    expect(await check(keyless)).toMatchObject({
      code: 1,
      out: expect.stringContaining('not signed by a key that is trusted'),
    })
    writeFileSync(path, out)
    const elsewhere = await mintmark(audit, 'verify', '--tenant', 'globex', '--from', path)
    expect([elsewhere.code, elsewhere.out]).toEqual([1, 'BAD: the receipt is of a log of another tenant\n'])
    expect((await ofAcme('prove', 'no-such-event')).code).toBe(1)
  })

  test('an unknown tenant is told apart from a log that is bad', async () => {
    const { code, err } = await mintmark(audit, 'verify', '--tenant', 'nobody', '--data', broker.dataDir)
    expect([code, err]).toEqual([1, 'mintmark audit verify: there is no log of a tenant "nobody" here\n'])
    expect(await audit(['verify'], captureIo()).catch((error: Error) => error.constructor.name)).toBe('UsageError')
  })
})

/** By the letter of C2SP tlog-tiles, tlog-checkpoint and signed-note, with nothing of ours. */
const verifyOverHttp = async (url: string): Promise<{ size: number; entries: Buffer[] }> => {
  const bytesOf = async (path: string) => Buffer.from(await (await fetch(`${url}/${path}`)).arrayBuffer())
  const note = (await bytesOf('checkpoint')).toString('utf8')
  const [text, signatures] = note.split('\n\n') as [string, string]
  const [origin, size, root] = text.split('\n') as [string, string, string]
  expect(origin).toBe(url.replace('http://', ''))
  const [vkey] = (await bytesOf('vkeys')).toString('utf8').split('\n') as [string]
  const [, name, id, data] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(vkey) as unknown as [string, string, string, string]
  const publicKey = Buffer.from(data, 'base64').subarray(1)
  const [, signer, encoded] = /^— (\S+) (\S+)\n$/u.exec(signatures) as unknown as [string, string, string]
  const signature = Buffer.from(encoded, 'base64')
  expect([signer, signature.subarray(0, 4).toString('hex')]).toEqual([name, id])
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') }
  const isSigned = verifySignature(
    null,
    Buffer.from(`${text}\n`),
    createPublicKey({ key: jwk, format: 'jwk' }),
    signature.subarray(4),
  )
  expect(isSigned).toBe(true)

  const sha = (...parts: Buffer[]) => hash('sha256', Buffer.concat(parts), 'buffer')
  const entries: Buffer[] = []
  for (let index = 0; index * 256 < Number(size); index += 1) {
    const width = Math.min(256, Number(size) - index * 256)
    const place = `${String(index).padStart(3, '0')}${width === 256 ? '' : `.p/${width}`}`
    const bundle = await bytesOf(`tile/entries/${place}`)
    const tile = await bytesOf(`tile/0/${place}`)
    for (let at = 0, entry = 0; at < bundle.length; entry += 1) {
      const length = bundle.readUInt16BE(at)
      const commitment = bundle.subarray(at + 2, at + 2 + length)
      expect(sha(Buffer.of(0), commitment)).toEqual(tile.subarray(entry * 32, entry * 32 + 32))
      entries.push(commitment)
      at += 2 + length
    }
  }
  const treeHash = (leaves: Buffer[]): Buffer => {
    if (leaves.length === 1) return sha(Buffer.of(0), leaves[0]!)
    let split = 1
    while (split * 2 < leaves.length) split *= 2
    return sha(Buffer.of(1), treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)))
  }
  expect(entries).toHaveLength(Number(size))
  expect(treeHash(entries).toString('base64')).toBe(root)
  return { size: Number(size), entries }
}

describe('over HTTP', () => {
  test('anybody verifies the log, and learns nothing of it but how long it is', async () => {
    const { size, entries } = await verifyOverHttp(`${acme}/log`)
    expect(size).toBeGreaterThanOrEqual(events.length)
    for (const entry of entries) expect(entry).toHaveLength(32)
    expect((await mintmark(audit, 'verify', '--tenant', 'acme', '--url', `${acme}/log`)).code).toBe(0)
  })

  test('the log of one tenant is not good as that of another, whose name it does not have', async () => {
    const of = (tenant: string) => mintmark(audit, 'verify', '--tenant', tenant, '--url', `${acme}/log`)
    for (const tenant of ['globex', 'cme']) {
      const { code, out } = await of(tenant)
      expect(out).toContain('other_log')
      expect(code).toBe(1)
    }
  })

  test('tiles are cached for ever, the checkpoint never', async () => {
    const tile = await fetch(`${acme}/log/tile/0/000`)
    expect(tile.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(tile.headers.get('content-type')).toBe('application/octet-stream')
    expect((await tile.arrayBuffer()).byteLength).toBe(256 * 32)
    const head = await fetch(`${acme}/log/tile/0/000`, { method: 'HEAD' })
    expect(head.headers.get('content-length')).toBe('8192')
    expect((await fetch(`${acme}/log/checkpoint`)).headers.get('cache-control')).toBe('no-cache')
  })

  test('what no checkpoint covers, and what is no tile, is not there', async () => {
    for (const path of [
      'tile/0/009',
      'tile/1/000',
      'tile/entries/001.p/255',
      'tile/0/0',
      'tile/data/000',
      '',
      'events',
    ])
      expect((await fetch(`${acme}/log/${path}`)).status, path).toBe(404)
    expect((await fetch(`${broker.url}/t/nobody/log/checkpoint`)).status).toBe(404)
    expect((await fetch(`${acme}/log/checkpoint`, { method: 'POST' })).status).toBe(405)
  })

  test('each tenant has a log and a key of its own', async () => {
    const keyOf = async (tenant: string) => (await fetch(`${broker.url}/t/${tenant}/log/vkeys`)).text()
    expect(await keyOf('globex')).not.toBe(await keyOf('acme'))
    await verifyOverHttp(`${broker.url}/t/globex/log`)
    const { keys } = (await (await fetch(`${acme}/jwks.json`)).json()) as { keys: { kty: string }[] }
    expect(keys.map(({ kty }) => kty)).not.toContain('OKP')
  })
})

describe('what is done to the files afterwards', () => {
  /** A copy of the data directory, changed by SQL as somebody would who may write it. */
  const tampered = async (sql: string, ...more: string[]) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'mintmark-tampered-'))
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
    cpSync(broker.dataDir, dataDir, { recursive: true })
    const database = new DatabaseSync(join(dataDir, 'audit.db'), { timeout: COMES_WITHIN_MS })
    database.exec(`DROP TRIGGER log_leaf_is_append_only; DROP TRIGGER log_only_grows; ${sql}`)
    database.close()
    return mintmark(audit, 'verify', '--tenant', 'acme', '--data', dataDir, ...more)
  }
  const SOME = "tenant = 'acme' AND leaf"

  test('a log nobody touched verifies, or each row below would pass on a broken verifier', async () => {
    const { code, out } = await tampered('')
    expect(out).toMatch(/^good: \d+ leaves/)
    expect(code).toBe(0)
  })

  test.each([
    ['an event flipped', `UPDATE log_leaf SET event = replace(event, 'Mintmark', 'Mintmork') WHERE ${SOME} = 20`, 20],
    ['a salt flipped', `UPDATE log_leaf SET salt = zeroblob(32) WHERE ${SOME} = 21`, 21],
    ['an event deleted', `DELETE FROM log_leaf WHERE ${SOME} = 22`, 22],
    [
      'two events swapped',
      `UPDATE log_leaf SET leaf = -1 WHERE ${SOME} = 23; UPDATE log_leaf SET leaf = 23 WHERE ${SOME} = 24;
       UPDATE log_leaf SET leaf = 24 WHERE ${SOME} = -1`,
      23,
    ],
    ['an event called something else', `UPDATE log_leaf SET uid = 'another' WHERE ${SOME} = 27`, 27],
    ['a hash of a tile flipped', flip(0, 0, 25 * 32), 25],
    ['a commitment flipped', flip(-1, 0, 26 * 34 + 2), 26],
    ['a tile of a higher level flipped', flip(1, 0, 0), 0],
    ['a tile deleted', `DELETE FROM log_tile WHERE tenant = 'acme' AND level = 0 AND tile = 1`, 256],
    [
      'a bundle cut short',
      `UPDATE log_tile SET bytes = substr(bytes, 1, 340) WHERE tenant = 'acme' AND level = -1 AND tile = 0`,
      0,
    ],
  ])('%s is named with its index', async (_, sql, index) => {
    const { code, out } = await tampered(sql)
    expect(out).toContain(`first at index ${index}\n`)
    expect(code).toBe(1)
  })

  test('a log that was truncated to an earlier checkpoint is short of the one that was seen', async () => {
    const anchor = await anchorOf(await (await fetch(`${acme}/log/checkpoint`)).text())
    const older = `(SELECT size FROM log_checkpoint WHERE tenant = 'acme' ORDER BY size LIMIT 1)`
    const sql = `UPDATE log SET size = ${older}, checkpoint_size = ${older},
        checkpoint = (SELECT note FROM log_checkpoint WHERE tenant = 'acme' ORDER BY size LIMIT 1) WHERE tenant = 'acme';
      DELETE FROM log_leaf WHERE tenant = 'acme' AND leaf >= ${older};
      DELETE FROM log_checkpoint WHERE tenant = 'acme' AND size > ${older}`
    const rows = await tampered(sql, '--anchor', anchor)
    // Every run has at least one minute; where there is only one, the log was cut to itself.
    if (rows.code === 0) return expect(rows.out).toContain('good')
    expect(rows.out).toMatch(/truncated|no leaf of the record/)
  })

  test('a checkpoint of another tree of the same name is a fork, and a bad signature is no checkpoint', async () => {
    const note = await (await fetch(`${acme}/log/checkpoint`)).text()
    const forged = note.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${Buffer.alloc(32).toString('base64')}\n`)
    expect((await tampered('', '--anchor', await anchorOf(forged))).out).toContain('checkpoint_invalid')
    const sql = `UPDATE log SET checkpoint = '${forged.replaceAll("'", "''")}' WHERE tenant = 'acme'`
    expect((await tampered(sql)).out).toContain('checkpoint_invalid')
  })

  test.each([
    ['its root', `replace(note, char(10) || size || char(10), char(10) || size || char(10) || 'A')`],
    ['its size', `replace(note, char(10) || size || char(10), char(10) || '1' || size || char(10))`],
    ['its signature', `substr(note, 1, length(note) - 8) || 'AAAAAA=' || char(10)`],
    ['all of it', `'nothing'`],
  ])('an earlier checkpoint is not what was signed: %s', async (_, note) => {
    const { code, out } = await tampered(`UPDATE log_checkpoint SET note = ${note} WHERE tenant = 'acme'`)
    expect([code, out]).toEqual([1, expect.stringContaining('checkpoint_invalid')])
  })

  test('a record that was changed, or that has no leaf, is told', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'mintmark-tampered-'))
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
    cpSync(broker.dataDir, dataDir, { recursive: true })
    const database = new DatabaseSync(join(dataDir, 'mintmark.db'), { timeout: COMES_WITHIN_MS })
    database.exec(`DROP TRIGGER grant_record_is_append_only;
      UPDATE grant_record SET body = replace(body, 'deploy:read', 'deploy:root') WHERE seq = 9`)
    database.close()
    const changed = await mintmark(audit, 'verify', '--tenant', 'acme', '--data', dataDir)
    expect([changed.code, changed.out]).toEqual([1, expect.stringContaining('record_differs')])
    const again = new DatabaseSync(join(dataDir, 'mintmark.db'), { timeout: COMES_WITHIN_MS })
    again.exec('DELETE FROM grant_record WHERE seq = 9')
    again.close()
    const gone = await mintmark(audit, 'verify', '--tenant', 'acme', '--data', dataDir)
    expect([gone.code, gone.out]).toEqual([1, expect.stringContaining('record_missing')])
  })

  test('a record that was taken over and has no leaf is named, no line says that the log is good, and repair brings it', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'mintmark-tampered-'))
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
    cpSync(broker.dataDir, dataDir, { recursive: true })
    const id = '0198c0de-0000-4000-8000-00000000abcd'
    const database = new DatabaseSync(join(dataDir, 'mintmark.db'))
    database.exec(`INSERT INTO grant_record (guard, decision, tenant, at, exp, keep_until, body)
        SELECT randomblob(16), x'${id.replaceAll('-', '')}', tenant, at, exp, keep_until,
          json_replace(body, '$.decisionId', '${id}') FROM grant_record WHERE tenant = 'acme' ORDER BY seq DESC LIMIT 1;
      UPDATE feed_reader SET acknowledged = (SELECT max(seq) FROM grant_record) WHERE topic = 'grant'`)
    database.close()
    const of = (verb: string) => mintmark(audit, verb, '--tenant', 'acme', '--data', dataDir)
    const found = await of('verify')
    expect([found.code, found.out]).toEqual([
      1,
      expect.stringMatching(/^BAD: [\s\S]*\nBAD: the log has no leaf of the record /),
    ])
    expect(found.out).toContain(id)
    expect((await of('repair')).out).toContain(id)
    expect((await of('verify')).out).toMatch(/^good: /)
  })

  test('an export verifies anywhere; a line that was changed, dropped or moved is named', async () => {
    const out = mkdtempSync(join(tmpdir(), 'mintmark-export-'))
    onTestFinished(() => rmSync(out, { recursive: true, force: true }))
    expect((await ofAcme('export', '--out', out)).code).toBe(0)
    const vkey = (await (await fetch(`${acme}/log/vkeys`)).text()).trim()
    const check = () => mintmark(audit, 'verify', '--tenant', 'acme', '--from', out, '--vkey', vkey)
    expect((await check()).code).toBe(0)
    const path = join(out, 'events.jsonl')
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    const withLines = async (changed: string[]) => {
      writeFileSync(path, `${changed.join('\n')}\n`)
      return (await check()).out
    }
    expect(await withLines(lines.with(30, lines[30]!.replace('Mintmark', 'Mintmork')))).toContain('first at index 30\n')
    expect(await withLines(lines.toSpliced(31, 1))).toContain('first at index 31\n')
    expect(await withLines(lines.with(32, lines[33]!).with(33, lines[32]!))).toMatch(/good|first at index 32\n/)
    expect(await withLines(lines.slice(0, -1))).toContain('BAD')
    const twice = lines[5]!.replace('Mintmark', 'Mintmork')
    expect(await withLines(lines.toSpliced(5, 0, twice))).toContain('(event_invented), first at index 5\n')
    expect(await withLines([...lines, '{"index":5}'])).toContain('event_invented')
    expect(await withLines(lines)).toContain('good')
    for (const broken of ['{', 'null', '{"leaves":-1,"note":""}', '{"leaves":1,"note":3}']) {
      writeFileSync(join(out, 'expired.json'), broken)
      expect((await check()).out).toContain('(expired_unproven), first at index 0\n')
    }
    rmSync(join(out, 'expired.json'))
    const another = `${vkey.slice(0, vkey.indexOf('+'))}+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k`
    expect(
      await audit(['verify', '--tenant', 'acme', '--from', out, '--vkey', another], captureIo()).catch(() => 2),
    ).not.toBe(0)
  })
})

const anchorOf = async (note: string): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'mintmark-anchor-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'anchor'), note)
  return join(folder, 'anchor')
}

function flip(level: number, tile: number, byte: number): string {
  const where = `tenant = 'acme' AND level = ${level} AND tile = ${tile}`
  return `UPDATE log_tile SET bytes = CAST(substr(bytes, 1, ${byte}) || (CASE WHEN substr(bytes, ${byte + 1}, 1) = x'00'
    THEN x'01' ELSE x'00' END) || substr(bytes, ${byte + 2}) AS BLOB) WHERE ${where}`
}
