// Starts the real broker for the bench over a data directory of its own, with everything of an exchange on but, unless asked
// for, the limits. The audit log, which reads the records afterwards, would share the one core: it is off, unless asked for.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type RunningServer, startServer } from './start-server.ts'
import { TENANT } from './tenants.ts'

// Only a name: evidence is addressed to it, and under --dev the broker answers on whatever loopback port it got.
const BASE_URL = 'http://127.0.0.1:8080'
export const AUDIENCE = `${BASE_URL}/t/${TENANT}`
/** What evidence for any tenant of the bench is addressed to, before `/t/…`. */
export const baseUrlOfBench = BASE_URL

export const startBroker = (
  tenantsDir: string,
  dataDir: string,
  limits: 'on' | 'off' = 'off',
  auditLog: 'on' | 'off' = 'off',
  core?: number | string,
): Promise<RunningServer> => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  // As `npm run mintmark` starts it: V8 would otherwise let garbage pile up to gigabytes before its first full collection.
  const entry = [
    '--initial-old-space-size=48',
    '--max-semi-space-size=8',
    '--import',
    './scripts/require-node-24.mjs',
    join('bin', 'mintmark.ts'),
    'serve',
  ]
  const where = ['--tenants', tenantsDir, '--data', dataDir, '--port', '0', '--base-url', BASE_URL]
  return startServer([...entry, ...where, '--dev', '--limits', limits, '--audit-log', auditLog], core)
}

/** The generator asks the port the broker really has. */
export const tokenUrl = (server: RunningServer): string =>
  `http://127.0.0.1:${new URL(server.url).port}/t/${TENANT}/token`
