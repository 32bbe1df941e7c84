// `mintmark serve`: the embedded broker (design §7, §9). One process, SQLite, nothing to set up.
import { EXIT_CODES } from '../../lib/client/outcome.ts'
import { anchorsProblem } from '../../lib/wire/anchor-place.ts'
import { type Io, readOptions, required, UsageError } from '../command.ts'
import { anchorHost } from '../embedded/anchors.ts'
import { startBroker } from '../embedded/broker.ts'
import { parseOpsPlace } from '../embedded/ops.ts'

const HELP = `Usage: mintmark serve --tenants DIR --data DIR [options]

Runs the embedded broker. Prints "mintmark listening on <url>" when ready; SIGTERM drains and stops.

  --tenants DIR          tenant documents (*.yaml), checked and applied at start
  --data DIR             the store, the master key, and nothing else of value
  --port N               default 8080; 0 takes a free one
  --host ADDRESS         default 127.0.0.1
  --base-url URL         what issuers and metadata are built from; default http://<host>:<port>
  --dev                  loopback only: listens on loopback, answers to loopback hosts, allows http to loopback
  --limits on|off        off: no rate limits and no denial roll-ups (benchmarks and tests)
  --audit-log on|off     off: records wait in the feed for a broker that has it on, and are kept as long (benchmarks)
  --trusted-proxy CIDR   believe X-Forwarded-For from here; may repeat
  --egress-allow CIDR    private range that issuers may be fetched from; may repeat
  --secrets DIR          where file: secrets are, DIR/<tenant>/<name>; default /run/secrets
  --anchor PLACE         where every checkpoint is kept, once a minute, out of the broker's reach; may repeat. A file of another
                         user that this one may append to, or a C2SP witness: https://witness.example/prefix#<verifier key>
  --audit-disk SIZE      what the audit logs may take, as 500MB or 20GB; beyond it records wait in the feed; default 64GB
  --json                 every line on both streams is one JSON document, as those of the process log; the one that is printed
                         when it is ready has the members message "listening" and url
  --ops-port N           /metrics (Prometheus), /healthz and /readyz here, on loopback; ADDRESS:N for elsewhere

With OTEL_EXPORTER_OTLP_ENDPOINT set, exchanges are traced (OpenTelemetry, OTLP over HTTP; other OTEL_* variables apply).

aws-credentials are issued where --base-url is https without a port, by the STS endpoint of AWS_REGION (default us-east-1)
or by AWS_ENDPOINT_URL_STS.
`

export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  const { values, positionals } = readOptions(argv, {
    tenants: { type: 'string' },
    data: { type: 'string' },
    port: { type: 'string', default: '8080' },
    host: { type: 'string', default: '127.0.0.1' },
    'base-url': { type: 'string' },
    limits: { type: 'string', default: 'on' },
    'audit-log': { type: 'string', default: 'on' },
    dev: { type: 'boolean', default: false },
    secrets: { type: 'string', default: '/run/secrets' },
    'trusted-proxy': { type: 'string', multiple: true, default: [] },
    'egress-allow': { type: 'string', multiple: true, default: [] },
    'ops-port': { type: 'string' },
    anchor: { type: 'string', multiple: true, default: [] },
    'audit-disk': { type: 'string', default: '64GB' },
  })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  if (positionals.length > 0) throw new UsageError('serve takes no arguments')
  if (values.limits !== 'on' && values.limits !== 'off') throw new UsageError('--limits is on or off')
  if (values['audit-log'] !== 'on' && values['audit-log'] !== 'off') throw new UsageError('--audit-log is on or off')
  const ops = values['ops-port'] === undefined ? undefined : parseOpsPlace(values['ops-port'])
  if (ops === null) throw new UsageError('--ops-port is a port, or an IP address and a port: 9464, 0.0.0.0:9464')
  const auditBytes = bytesOf(values['audit-disk'])
  if (auditBytes === null) throw new UsageError('--audit-disk is a size: 500MB, 20GB')
  const anchors = values.anchor
  const unusable = anchorsProblem(anchorHost, anchors)
  if (unusable !== null) throw new UsageError(unusable)
  const port = Number(values.port)
  if (!/^\d{1,5}$/.test(values.port) || port > 65_535) throw new UsageError('--port is a number from 0 to 65535')
  const isJson = values.json ?? false
  const started = await startBroker({
    tenantsDir: required(values.tenants, 'tenants'),
    dataDir: required(values.data, 'data'),
    port,
    host: values.host,
    baseUrl: values['base-url'] ?? null,
    dev: values.dev,
    hasLimits: values.limits === 'on',
    trustedProxies: values['trusted-proxy'],
    egressAllow: values['egress-allow'],
    secretsDir: values.secrets,
    aws: { region: io.env['AWS_REGION'], stsEndpoint: io.env['AWS_ENDPOINT_URL_STS'] },
    ...(ops === undefined ? {} : { ops }),
    anchors,
    auditBytes,
    auditLog: values['audit-log'] === 'on' ? 'thread' : 'off',
    traceEnvironment: Object.fromEntries(Object.entries(io.env).filter(([name]) => name.startsWith('OTEL_'))),
    masterKey: io.env['MINTMARK_MASTER_KEY'],
    warn: (line) => io.stderr.write(isJson ? logLine('WARN', line) : `mintmark: ${line}\n`),
  })
  if (!started.ok) {
    for (const problem of started.problems) io.stderr.write(isJson ? logLine('ERROR', problem) : `${problem}\n`)
    const facts = { error: started.kind, error_description: started.problems.join('\n') }
    if (isJson) io.stdout.write(logLine('ERROR', 'not started', facts))
    return EXIT_CODES[started.kind]
  }
  // Listened for before it is said: whoever reads the line may stop it at once.
  const stopped = untilStopped()
  const { url } = started.broker
  io.stdout.write(isJson ? logLine('INFO', 'listening', { url }) : `mintmark listening on ${url}\n`)
  await stopped
  await started.broker.close()
  return 0
}

/** A line as the process log has them (lib/edge/logger.ts), whatever its level is set to: these are answers, not diagnostics. */
const logLine = (level: 'INFO' | 'WARN' | 'ERROR', message: string, fields: object = {}): string =>
  `${JSON.stringify({ level, message, timestamp: new Date().toISOString(), service: 'mintmark', ...fields })}\n`

const untilStopped = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })

const bytesOf = (text: string): number | null => {
  const [, count, unit] = /^([1-9][0-9]{0,6})(MB|GB)$/.exec(text) ?? []
  return count === undefined ? null : Number(count) * (unit === 'GB' ? 1024 ** 3 : 1024 ** 2)
}
