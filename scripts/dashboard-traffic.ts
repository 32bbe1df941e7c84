// Some minutes of a broker's life for pictures of its dashboards: jobs of several platforms, what they do wrong, a revocation,
// a security event, and a SIEM that is down for a third of the time. Real requests to the real broker, loopback only.
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Document } from 'yaml'
import { exchange } from '../test/support/broker.ts'
import { issuerKey } from '../test/support/evidence.ts'
import { freePort } from '../test/support/free-port.ts'
import { IDP, pushSet, setClaims, signSet } from '../test/support/security-events.ts'
import { type LocalStack, startLocalStack } from './local-stack.ts'

const PAUSE_MS = 200
const DIRECTORY = '.mintmark/screenshots'

/** A collector for OTLP logs that can be told to be down. */
const startCollector = async () => {
  let isDown = false
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(isDown ? 503 : 200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1/logs`,
    setDown: (down: boolean) => {
      isDown = down
    },
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

const RUN_REVOKED = '4711'
type Job = { readonly tenant: string; readonly sample: string; readonly audience: string; readonly claims?: object }
const DEPLOY: Job = { tenant: 'acme', sample: 'github', audience: 'https://deploy.acme.example' }
const JOBS: readonly Job[] = [
  DEPLOY,
  { tenant: 'acme', sample: 'gitlab', audience: 'https://deploy.acme.example' },
  { tenant: 'acme', sample: 'kubernetes', audience: 'https://vault.acme.example' },
  DEPLOY,
  {
    tenant: 'globex',
    sample: 'github',
    audience: 'https://cdn.globex.example',
    claims: {
      repository_owner_id: '7770001',
      repository_owner: 'globex',
      repository_id: '8880002',
      repository: 'globex/site',
      workflow_ref: 'globex/site/.github/workflows/site.yml@refs/heads/main',
    },
  },
]

export type Traffic = {
  /** host:port of the metrics. */
  readonly target: string
  readonly run: (seconds: number) => Promise<void>
  readonly stop: () => Promise<void>
}

export const startTraffic = async (): Promise<Traffic> => {
  const collector = await startCollector()
  const idp = issuerKey('ES256')
  const opsPort = await freePort()
  const edit = (tenant: string, document: Document, url: string) => {
    const siem = { type: 'otlp-logs', url: collector.url }
    if (tenant !== 'acme') return document.set('sinks', { siem })
    const on = { 'session-revoked': { subject: 'opaque', revoke: 'run', issuer: 'github' } }
    document.set('sinks', { siem, local: { type: 'jsonl', path: 'acme-audit.jsonl' } })
    document.set('receivers', { edge: { type: 'poll' } })
    document.set('events', { idp: { issuer: IDP, jwks: { inline: { keys: [idp.jwk] } }, on } })
    document.setIn(['grants', 'operator'], {
      from: 'github',
      match: { 'project.id': '7654321', 'ref.full': 'refs/heads/main', 'environment.name': 'operations' },
      identity: '/ops/{project.id}',
      issue: [{ type: 'access_token', audience: [url], scope: ['admin'], ttl: '10m' }],
    })
  }
  const stack = await startLocalStack({
    directory: DIRECTORY,
    port: 18_080,
    args: ['--ops-port', String(opsPort)],
    edit,
  })
  return {
    target: `127.0.0.1:${opsPort}`,
    run: (seconds) => run(stack, seconds, { collector, idp }),
    async stop() {
      await stack.stop()
      collector.stop()
    },
  }
}

type Around = {
  readonly collector: Awaited<ReturnType<typeof startCollector>>
  readonly idp: ReturnType<typeof issuerKey>
}

const run = async (stack: LocalStack, seconds: number, { collector, idp }: Around): Promise<void> => {
  const urlOf = (tenant: string) => `${stack.url}/t/${tenant}`
  const evidence = ({ tenant, sample, claims }: Job, more: object = {}) =>
    stack.platform.issue(sample, { aud: urlOf(tenant), ...claims, ...more })
  const ask = (job: Job, assertion: string) =>
    exchange(urlOf(job.tenant), assertion, { audience: job.audience }).then(
      () => undefined,
      () => undefined,
    )
  const acme = urlOf('acme')
  const now = () => Math.floor(Date.now() / 1000)

  /** What goes wrong, each at every so manieth request. */
  const wrongs: readonly [number, () => Promise<void>][] = [
    [
      11,
      async () => {
        const once = await evidence(DEPLOY)
        await ask(DEPLOY, once)
        await ask(DEPLOY, once)
      },
    ],
    [13, async () => ask({ ...DEPLOY, audience: 'https://nowhere.example' }, await evidence(DEPLOY))],
    [17, async () => ask(DEPLOY, await evidence(DEPLOY, { event_name: 'pull_request', ref: 'refs/pull/7/merge' }))],
    [19, async () => ask(DEPLOY, await evidence(DEPLOY, { iat: now() - 900, nbf: now() - 900, exp: now() - 600 }))],
    [23, async () => ask(JOBS[1]!, `${(await evidence(JOBS[1]!)).slice(0, -8)}AAAAAAAA`)],
    [29, async () => ask(DEPLOY, await evidence(DEPLOY, { run_id: RUN_REVOKED }))],
    [31, async () => ask({ ...DEPLOY, audience: acme }, await evidence(DEPLOY, { environment: 'operations' }))],
  ]
  /** What happens once, at a share of the time. */
  const once: readonly [number, () => unknown][] = [
    [0.3, () => collector.setDown(true)],
    [0.4, () => revoke(stack)],
    [0.5, () => pushSet(acme, signSet(idp, setClaims(`${acme}/events`, { sub_id: { format: 'opaque', id: '4712' } })))],
    [0.65, () => collector.setDown(false)],
  ]
  const begunAt = performance.now()
  let due = [...once]
  for (let count = 1; ; count += 1) {
    const share = (performance.now() - begunAt) / (seconds * 1000)
    if (share >= 1) break
    for (const [, happen] of due.filter(([at]) => at <= share)) await happen()
    due = due.filter(([at]) => at > share)
    const job = JOBS[count % JOBS.length]!
    await ask(job, await evidence(job, job.sample === 'github' ? { run_id: String(1_000_000 + count) } : {}))
    for (const [every, happen] of wrongs) if (count % every === 0) await happen()
    // Busier in the middle.
    await sleep(PAUSE_MS * (1.5 - Math.sin(Math.PI * share)))
  }
}

/** As an operator does, at the machine. */
const revoke = (stack: LocalStack): Promise<void> =>
  new Promise((resolve, reject) => {
    const args = ['revoke', '--tenant', 'acme', '--run', `github/${RUN_REVOKED}`, '--reason', 'runner seen elsewhere']
    spawn(process.execPath, ['bin/mintmark.ts', ...args, '--data', stack.dataDir], { stdio: 'ignore' })
      .once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`revoke ended with ${code}`))))
      .once('error', reject)
  })
