// The broker, wired to kill itself with SIGKILL at the n-th pass of a crash point: K0 before the record is written, K2 after it
// is durable, K3 after signing. Takes the arguments of `serve`; FAILPOINT=K2:17. With MEASURE=1 it prints its event-loop delay when it stops.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { readOptions } from '../../bin/command.ts'
import { startBroker } from '../../bin/embedded/broker.ts'

const { values } = readOptions(process.argv.slice(3), {
  tenants: { type: 'string' },
  data: { type: 'string' },
  port: { type: 'string' },
  dev: { type: 'boolean' },
  limits: { type: 'string' },
})
const [point, count] = (process.env['FAILPOINT'] ?? '').split(':')
let left = Number(count)

const started = await startBroker({
  tenantsDir: values.tenants!,
  dataDir: values.data!,
  port: 0,
  host: '127.0.0.1',
  baseUrl: 'http://127.0.0.1:1',
  dev: true,
  hasLimits: false,
  trustedProxies: [],
  egressAllow: [],
  aws: { region: undefined, stsEndpoint: undefined },
  secretsDir: '/run/secrets',
  masterKey: undefined,
  // Measured as it is served; killed in one file, where a thread has no file of its own.
  auditLog: process.env['MEASURE'] === '1' ? 'thread' : 'here',
  warn: () => undefined,
  failpoint: (name) => {
    if (name !== point) return
    left -= 1
    if (left === 0) process.kill(process.pid, 'SIGKILL')
  },
})
if (!started.ok) throw new Error(started.problems.join('\n'))
process.stdout.write(`mintmark listening on ${started.broker.url}\n`)
const delay = monitorEventLoopDelay({ resolution: 10 })
delay.enable()
process.once('SIGTERM', () => {
  if (process.env['MEASURE'] === '1')
    process.stdout.write(`event-loop p99 ms: ${(delay.percentile(99) / 1e6).toFixed(1)}\n`)
  void started.broker.close().then(() => process.exit(0))
})
