// The sinks of a running broker: SIEMs that are real servers get every event of the log, valid and in order, whatever happens to
// them and to the broker; operators see how it goes, at the machine and from afar.
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run as audit } from '../../bin/commands/audit.ts'
import { run as sinks } from '../../bin/commands/sinks.ts'
import type { OcsfEvent } from '../../lib/domain/ocsf/event.ts'
import type { SinkStatus } from '../../lib/domain/sink.ts'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { freePort } from '../support/free-port.ts'
import { captureIo } from '../support/io.ts'
import { hasOcsfSchema, loadOcsfSchema } from '../support/ocsf-schema.ts'
import { operatorTenant, tokenOf } from '../support/operators.ts'
import { json, type Received, type Reply, startReceiver } from '../support/sink-receiver.ts'
import { TARGET } from '../support/tenants.ts'

const SECRET = `hec-${randomUUID()}`
const key = issuerKey('RS256')

/** A Splunk that indexes; an index of Elasticsearch; a collector; somebody's webhook. All on one port. */
const siem = () => {
  const indexed = new Set<string>()
  let ackId = 0
  const reply: Reply = ({ path, text }, response) => {
    if (path === '/services/collector/event') return json(response, { text: 'Success', code: 0, ackId: ackId++ })
    if (path.startsWith('/services/collector/ack')) {
      const { acks } = JSON.parse(text) as { acks: number[] }
      return json(response, { acks: Object.fromEntries(acks.map((id) => [id, true])) })
    }
    if (path === '/v1/logs') return json(response, {})
    if (path === '/hook') return void response.writeHead(202).end()
    const lines = text.trimEnd().split('\n')
    const items = lines.flatMap((line, at) => {
      if (at % 2 === 1) return []
      const { create } = JSON.parse(line) as { create: { _id: string } }
      const status = indexed.has(create._id) ? 409 : 201
      indexed.add(create._id)
      return [{ create: { status } }]
    })
    return json(response, { errors: false, items })
  }
  return reply
}

/** The OCSF events of a request, by the letter of each protocol. */
const eventsOf = ({ path, text }: Received): OcsfEvent[] => {
  if (path === '/services/collector/event')
    return text.split('\n').map((line) => (JSON.parse(line) as { event: OcsfEvent }).event)
  if (path === '/hook') return (JSON.parse(text) as { data: OcsfEvent }[]).map(({ data }) => data)
  if (path === '/mintmark/_bulk')
    return text
      .trimEnd()
      .split('\n')
      .flatMap((line, at) => {
        const { '@timestamp': _, ...event } = JSON.parse(line) as OcsfEvent
        return at % 2 === 1 ? [event as OcsfEvent] : []
      })
  if (path !== '/v1/logs') return []
  const { resourceLogs } = JSON.parse(text) as {
    resourceLogs: { scopeLogs: { logRecords: { body: { stringValue: string } }[] }[] }[]
  }
  return resourceLogs.flatMap(({ scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) => logRecords.map(({ body }) => JSON.parse(body.stringValue) as OcsfEvent)),
  )
}

const KINDS = { hec: '/services/collector/event', otel: '/v1/logs', es: '/mintmark/_bulk', hook: '/hook' } as const

const sinksOf = (url: string): string => `
sinks:
  hec: { type: splunk-hec, url: "${url}", token: { file: acme/hec } }
  otel: { type: otlp-logs, url: "${url}/v1/logs" }
  es: { type: elasticsearch, url: "${url}", index: mintmark }
  hook: { type: webhook, url: "${url}/hook" }
`

const setUp = async () => {
  const receiver = await startReceiver(siem())
  const port = await freePort()
  const tenantUrl = `http://127.0.0.1:${port}/t/acme`
  const folder = mkdtempSync(join(tmpdir(), 'mintmark-secrets-'))
  mkdirSync(join(folder, 'acme'))
  writeFileSync(join(folder, 'acme', 'hec'), `${SECRET}\n`)
  const dataDir = join(mkdtempSync(join(tmpdir(), 'mintmark-data-')), 'data')
  const tenants = { acme: operatorTenant('acme', tenantUrl, key, '1234567') + sinksOf(receiver.url) }
  const start = () =>
    startBroker({ tenants, dataDir, args: ['--port', String(port), '--secrets', folder, '--limits', 'off'] })
  const brokers: RunningBroker[] = []
  const started = async () => {
    const broker = await start()
    brokers.push(broker)
    return broker
  }
  onTestFinished(async () => {
    for (const broker of brokers) await removeBroker(broker)
    rmSync(folder, { recursive: true, force: true })
  })
  const mint = async () => {
    const claims = githubClaims(tenantUrl, { environment: 'deploy', run_id: String(Math.floor(Math.random() * 1e12)) })
    const answer = await exchange(tenantUrl, signAssertion(key, claims), { audience: TARGET })
    expect(answer.status).toBe(200)
    return String(answer.body['decision_id'])
  }
  const received = (path: string): OcsfEvent[] => receiver.all.filter((one) => one.path === path).flatMap(eventsOf)
  const allHave = (ids: readonly string[]) =>
    expect
      .poll(() =>
        Object.values(KINDS).flatMap((path) => {
          const there = new Set(received(path).map(({ metadata }) => metadata.uid))
          return ids.filter((id) => !there.has(id)).map((id) => `${path} ${id}`)
        }),
      )
      .toEqual([])
  const cli = async (...args: string[]) => {
    const io = captureIo()
    const code = await sinks([...args, '--json'], io)
    return { code, answer: JSON.parse(io.out() === '' ? '{}' : io.out()) as Record<string, unknown>, err: io.err() }
  }
  return { receiver, tenantUrl, dataDir, started, mint, received, allHave, cli, folder }
}

test('every kind of sink gets every event of the log, in order and valid, across a SIEM that was down and a broker that was killed', async () => {
  const { receiver, dataDir, started, mint, received, allHave } = await setUp()
  let broker = await started()
  const ids = [await mint(), await mint()]
  await allHave(ids)

  // Down, in every way at once; exchanges go on.
  const healthy = receiver.reply
  let count = 0
  receiver.reply = (_, response) => {
    count += 1
    if (count % 4 === 0) return void response.writeHead(503).end()
    if (count % 4 === 1) return void response.writeHead(429, { 'retry-after': '1' }).end()
    if (count % 4 === 2) return void response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>')
    response.destroy()
  }
  for (let more = 0; more < 10; more += 1) ids.push(await mint())
  await expect.poll(() => count).toBeGreaterThan(8)
  receiver.reply = healthy
  await allHave(ids)

  // Killed when a sink has taken events and before its cursor has moved.
  const before = receiver.all.length
  receiver.reply = (one, response) => {
    healthy(one, response)
    if (receiver.all.length > before) broker.child.kill('SIGKILL')
  }
  for (let more = 0; more < 3; more += 1) ids.push(await mint().catch(() => '')) // the broker may be gone already
  await expect.poll(() => broker.child.signalCode).toBe('SIGKILL')
  receiver.reply = healthy
  broker = await started()
  ids.push(await mint())
  await allHave(ids.filter((id) => id !== ''))
  await broker.stop()

  const io = captureIo()
  expect(await audit(['tail', '--lines', '100000', '--json', '--tenant', 'acme', '--data', dataDir], io)).toBe(0)
  const log = io
    .out()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as OcsfEvent)
  for (const path of Object.values(KINDS)) {
    const first = new Map<string, OcsfEvent>()
    for (const event of received(path)) {
      const known = first.get(event.metadata.uid)
      // A duplicate is the same event; a checkpoint is told at the time it is told.
      if (known !== undefined && known['status_code'] !== 'checkpoint') expect(event).toEqual(known)
      if (known === undefined) first.set(event.metadata.uid, event)
    }
    const ofLog = [...first.values()].filter(({ metadata }) => metadata['sequence'] !== undefined)
    expect(ofLog, path).toEqual(log.slice(0, ofLog.length))
    expect(ofLog.length).toBeGreaterThan(ids.length)
    if (hasOcsfSchema()) {
      const problemsOf = loadOcsfSchema()
      for (const event of first.values()) expect(problemsOf(event)).toEqual([])
    }
  }
  expect(broker.output()).not.toContain(SECRET)
  for (const file of ['audit.db', 'mintmark.db']) expect(readFileSync(join(dataDir, file)).includes(SECRET)).toBe(false)
})

test('operators see how sinks go and test them, at the machine and from afar; nobody else does', async () => {
  const { receiver, tenantUrl, dataDir, started, mint, allHave, cli, folder, received } = await setUp()
  const broker = await started()
  await allHave([await mint()])
  const here = ['--tenant', 'acme', '--data', dataDir]
  const status = async (args: readonly string[]) => {
    const { code, answer } = await cli(...args)
    expect(code).toBe(0)
    return Object.fromEntries((answer['sinks'] as SinkStatus[]).map((one) => [one.name, one]))
  }
  await expect.poll(async () => (await status(here))['hec']?.backlogLeaves).toBe(0)

  const operator = await tokenOf(tenantUrl, { key, right: 'operator' })
  const tokenFile = join(folder, 'token')
  writeFileSync(tokenFile, operator.token)
  const afar = ['--tenant-url', tenantUrl, '--token-file', tokenFile]
  expect(Object.keys(await status(afar)).sort()).toEqual(['es', 'hec', 'hook', 'otel'])

  for (const where of [here, afar]) {
    const { code, answer } = await cli('test', 'hook', ...where)
    expect(code).toBe(0)
    const { id } = answer['errand'] as { id: string }
    const marked = received('/hook').find(({ metadata }) => metadata.uid === `test.${id}`)
    expect(marked?.['status_code']).toBe('sink_test')
    if (hasOcsfSchema()) expect(loadOcsfSchema()(marked!)).toEqual([])
  }
  receiver.reply = (_, response) => void response.writeHead(403).end('your token s3cret is wrong')
  const refused = await cli('test', 'hec', ...here)
  expect([refused.code, (refused.answer['errand'] as { outcome: unknown }).outcome]).toEqual([
    1,
    { delivered: 0, refused: 0, trouble: 'status_4xx' },
  ])
  await mint()
  await expect.poll(async () => (await status(afar))['es']?.trouble).toBe('status_4xx')
  expect((await status(here))['es']!.backlogLeaves).toBeGreaterThan(0)

  expect((await cli('test', 'nobody', ...here)).code).toBe(1)
  expect((await cli('test', 'nobody', ...afar)).code).toBe(1)
  const reader = await tokenOf(tenantUrl, { key, right: 'auditor' })
  writeFileSync(tokenFile, reader.token)
  expect((await cli(...afar)).code).toBe(1)
  expect(broker.output()).not.toMatch(/s3cret|hec-/)
})
