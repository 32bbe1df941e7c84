// How fast a backlog is drained into each kind of sink over loopback: node bench/drain-sinks.ts [LEAVES]. The receiver is a thread of
// its own and answers at once, so this is what the deliverer costs.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { gunzipSync } from 'node:zlib'
import { createJsonlSink } from '../lib/adapters/files/jsonl-sink.ts'
import { createGuardedHttp } from '../lib/adapters/http/guarded-http.ts'
import { createElasticsearchSink } from '../lib/adapters/sinks/elasticsearch.ts'
import { createOtlpLogsSink } from '../lib/adapters/sinks/otlp-logs.ts'
import { createSplunkHecSink } from '../lib/adapters/sinks/splunk-hec.ts'
import { createSinkCursors } from '../lib/adapters/sqlite/sink-cursors.ts'
import { systemClock } from '../lib/adapters/system/clock.ts'
import { deliverEvents, newSinkMemory } from '../lib/flows/audit/deliver-events.ts'
import type { Sink } from '../lib/ports/sinks.ts'
import { sampleRecord } from '../test/contract/sample-rows.ts'
import { openAudit, treeLogOver } from '../test/support/tree-log.ts'

const ISSUER = 'https://sts.example.com/t/acme'

const receive = (): void => {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
      const answers: Readonly<Record<string, () => unknown>> = {
        '/services/collector/event': () => ({ code: 0, ackId: 1 }),
        '/services/collector/ack': () => ({ acks: { 1: true } }),
        '/v1/logs': () => ({}),
        '/m/_bulk': () => ({
          items: Array.from({ length: (text.toString('latin1').split('\n').length - 1) / 2 }, () => ({
            create: { status: 201 },
          })),
        }),
      }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(answers[request.url ?? '']?.() ?? {}))
    })
  })
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port))
}

const drain = async (leaves: number): Promise<void> => {
  const worker = new Worker(new URL(import.meta.url))
  const port = await new Promise<number>((resolve) => worker.once('message', resolve))
  const dataDir = mkdtempSync(join(tmpdir(), 'mintmark-drain-'))
  const audit = openAudit(dataDir)
  const { log, store } = treeLogOver(audit)
  for (let at = 0; at < leaves / 2; at += 128)
    await log.append(
      'acme',
      Array.from({ length: 128 }, () => ({
        kind: 'grant' as const,
        record: sampleRecord({ decisionId: randomUUID() }),
      })),
    )
  const size = (await store.about('acme'))?.size ?? 0
  const url = `http://127.0.0.1:${port}`
  const tools = {
    http: createGuardedHttp({ dev: true, egressAllow: [], ports: 'any' }),
    secrets: { text: async () => 't' },
    issuerUrl: ISSUER,
  }
  const sinks: Record<string, Sink> = {
    jsonl: createJsonlSink(join(dataDir, 'acme-audit.jsonl'), ISSUER),
    'otlp-logs': createOtlpLogsSink(
      { name: 'a', type: 'otlp-logs', url: `${url}/v1/logs`, token: null, header: null },
      tools,
    ),
    elasticsearch: createElasticsearchSink(
      { name: 'b', type: 'elasticsearch', url, index: 'm', token: null, scheme: 'ApiKey' },
      tools,
    ),
    'splunk-hec': createSplunkHecSink(
      { name: 'c', type: 'splunk-hec', url, token: 't', index: null, isAcknowledged: true },
      tools,
    ),
  }
  const ports = {
    log: store,
    cursors: createSinkCursors(audit),
    clock: systemClock,
    alarm: () => undefined,
    holder: 'bench',
  }
  for (const [name, sink] of Object.entries(sinks)) {
    const target = { tenant: 'acme', issuerUrl: ISSUER, name, sink }
    const memory = newSinkMemory()
    const startMs = performance.now()
    let delivery = await deliverEvents(ports, target, memory)
    while (delivery.kind === 'more') delivery = await deliverEvents(ports, target, memory)
    const perSecond = Math.round(size / ((performance.now() - startMs) / 1000))
    process.stdout.write(`${name.padEnd(14)} ${size} leaves, ${perSecond} a second, ${delivery.kind}\n`)
  }
  audit.close()
  await worker.terminate()
  rmSync(dataDir, { recursive: true })
}

if (isMainThread) await drain(Number(process.argv[2] ?? 20_000))
else receive()
