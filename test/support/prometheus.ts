// A real Prometheus for tests: `prometheus` and `promtool` from PATH (Debian's package `prometheus`, or a release). Where they
// are missing, tests that need them are shown as skipped.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

const isThere = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0

/** For `describe.skipIf`. */
export const HAS_NO_PROMETHEUS = !(isThere('promtool') && isThere('prometheus'))

export const promtool = (
  args: readonly string[],
  input = '',
): { readonly status: number | null; readonly text: string } => {
  const done = spawnSync('promtool', args, { encoding: 'utf8', input })
  return { status: done.status, text: `${done.stdout}${done.stderr}` }
}

export type Sample = { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }

export type Prometheus = {
  readonly url: string
  /** Instant query, as of now; throws with what Prometheus says of an expression it does not take. */
  readonly query: (expression: string) => Promise<readonly Sample[]>
  readonly stop: () => Promise<void>
}

/** Scrapes every second. `rules`: YAML. */
export const startPrometheus = async (target: string, rules: string): Promise<Prometheus> => {
  const dir = mkdtempSync(join(tmpdir(), 'mintmark-prometheus-'))
  const port = await freePort()
  writeFileSync(join(dir, 'rules.yml'), rules)
  writeFileSync(
    join(dir, 'prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [join(dir, 'rules.yml')],
      scrape_configs: [{ job_name: 'mintmark', static_configs: [{ targets: [target] }] }],
    }),
  )
  const flags = [
    `--config.file=${join(dir, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(dir, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]
  const child = spawn('prometheus', flags, { stdio: 'ignore' })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const url = `http://127.0.0.1:${port}`
  await until('a Prometheus that is ready', () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  )
  return {
    url,
    async query(expression) {
      const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expression })}`)
      const answer = (await response.json()) as {
        readonly status: string
        readonly error?: string
        readonly data: { readonly result: readonly Sample[] }
      }
      if (answer.status !== 'success') throw new Error(`${expression}: ${answer.error}`)
      return answer.data.result
    },
    async stop() {
      child.kill('SIGTERM')
      await exited
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
