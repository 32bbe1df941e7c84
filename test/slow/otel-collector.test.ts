// A receiver that is not ours: an OpenTelemetry collector takes what the otlp-logs sink sends, and tells it as it was meant. Needs
// the binary that tools/otelcol/main.go says how to build, named by MINTMARK_OTELCOL.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createGuardedHttp } from '../../lib/adapters/http/guarded-http.ts'
import { createOtlpLogsSink } from '../../lib/adapters/sinks/otlp-logs.ts'
import type { OcsfEvent } from '../../lib/domain/ocsf/event.ts'
import { freePort } from '../support/free-port.ts'
import { sampleEvents } from '../support/sink-receiver.ts'

const COLLECTOR = process.env['MINTMARK_OTELCOL']

const startCollector = async (binary: string) => {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'mintmark-otelcol-'))
  const config = join(folder, 'config.yaml')
  const document = {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
    exporters: { debug: { verbosity: 'detailed' } },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { logs: { receivers: ['otlp'], exporters: ['debug'] } },
    },
  }
  writeFileSync(config, JSON.stringify(document))
  const child = spawn(binary, ['--config', config], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  onTestFinished(() => {
    child.kill()
    rmSync(folder, { recursive: true, force: true })
  })
  await expect.poll(() => output).toContain('Everything is ready')
  return { url: `http://127.0.0.1:${port}/v1/logs`, output: () => output }
}

test.skipIf(COLLECTOR === undefined)(
  'a collector takes every kind of event, with its id, time, severity and trace',
  async () => {
    const { url, output } = await startCollector(COLLECTOR!)
    const http = createGuardedHttp({ dev: true, egressAllow: [], ports: 'any' })
    const sink = createOtlpLogsSink(
      { name: 'otel', type: 'otlp-logs', url, token: null, header: null },
      { http, secrets: { text: async () => '' }, issuerUrl: 'https://sts.example.com/t/acme' },
    )
    const events = sampleEvents()
    expect(await sink.deliver(events)).toEqual({ kind: 'taken', refused: [] })
    await expect.poll(output).toContain(`"log records": ${events.length}`)
    for (const canonical of events) {
      const { metadata, time } = JSON.parse(canonical) as OcsfEvent
      expect(output()).toContain(`log.record.uid: Str(${metadata.uid})`)
      expect(output()).toContain(`Timestamp: ${new Date(time).toISOString().slice(0, 10)}`)
      expect(output()).toContain(`Body: Str(${canonical})`)
      const trace = String(metadata['correlation_uid'])
      if (/^[0-9a-f]{32}$/.test(trace)) expect(output()).toContain(`Trace ID: ${trace}`)
    }
    expect(output()).toContain('SeverityText: WARN')
    // What it does not understand it refuses, and that is not a delivery.
    expect(await sink.deliver(['{"time":"never","metadata":{}}'])).toMatchObject({ kind: 'refused' })
  },
)
