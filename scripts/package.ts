// `npm run package`: bundles, then the CloudFormation templates, offline and without credentials. The core stack goes to
// .serverless, the edge to .serverless-edge, each tenant stack to .serverless-tenants/<stack>. Arguments go on to osls:
// npm run package -- --stage prod --param="domain=sts.example.com"
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import { tenantStacks } from '../infra/tenants.ts'

const root = join(import.meta.dirname, '..')
const given = process.argv.slice(2)

const run = (script: string, ...args: readonly string[]): void => {
  const done = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (done.status !== 0) process.exit(done.status ?? 1)
}

const osls = (config: string, folder: string, ...args: readonly string[]): void => {
  rmSync(join(root, folder), { recursive: true, force: true })
  run('node_modules/serverless/bin/serverless.js', 'package', '-c', config, '-p', folder, ...given, ...args)
}

/** A --param given here, or its default. */
const defaults: Record<string, string> = parseDocument(readFileSync(join(root, 'infra/params.yml'), 'utf8')).toJS()
  .default
const param = (name: 'account' | 'domain' | 'tenants'): string =>
  given.map((arg) => new RegExp(`^--param=${name}=(.+)$`).exec(arg)?.[1]).find((value) => value !== undefined) ??
  defaults[name] ??
  ''

run('scripts/build.ts')
osls('edge.serverless.yml', '.serverless-edge')
rmSync(join(root, '.serverless-tenants'), { recursive: true, force: true })
const stacks = tenantStacks({ account: param('account'), domain: param('domain'), tenants: param('tenants') })
for (const stack of stacks.keys())
  osls('tenants.serverless.yml', `.serverless-tenants/${stack}`, `--param=stack=${stack}`)
// Last: osls empties .serverless whatever it packages.
osls('serverless.yml', '.serverless')
process.stdout.write(
  `${2 + stacks.size} stacks packaged; tenants: ${[...stacks.keys()].join(', ') || 'none with AWS roles'}\n`,
)
