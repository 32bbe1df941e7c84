// `npm run gates`: independent linters judge the packaged templates: AWS's cfn-lint, and checkov. Both are Python; they are
// installed, pinned, into a folder outside of the checkout. Every finding fails, unless infra/gates/exceptions.yml takes it
// for that resource with a reason; an exception nothing needs fails too.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDocument } from 'yaml'

type Finding = {
  readonly tool: 'cfn-lint' | 'checkov'
  readonly rule: string
  readonly resource: string
  readonly says: string
}
type Exceptions = {
  readonly 'cfn-lint': readonly { readonly rule: string; readonly resource: string; readonly reason: string }[]
  readonly checkov: readonly {
    readonly check: string
    readonly resources: readonly string[]
    readonly reason: string
  }[]
}

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const TEMPLATE = 'cloudformation-template-update-stack.json'

const run = (command: string, ...args: readonly string[]): string => {
  const done = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (done.error !== undefined) throw done.error
  return done.stdout
}

/** A virtual environment named after what is in it: other pins are another one. */
const toolbox = (): string => {
  const pins = read('infra/gates/requirements.txt')
  const folder = join(tmpdir(), `mintmark-gates-${createHash('sha256').update(pins).digest('hex').slice(0, 12)}`)
  if (existsSync(join(folder, 'complete'))) return folder
  const steps = [
    ['python3', '-m', 'venv', '--clear', folder],
    [
      join(folder, 'bin/pip'),
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '-r',
      'infra/gates/requirements.txt',
    ],
    ['touch', join(folder, 'complete')],
  ]
  for (const [command, ...args] of steps) {
    const done = spawnSync(command ?? '', args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
    if (done.status !== 0) {
      process.stderr.write(
        'gates: cfn-lint and checkov could not be installed (python3 with venv, and PyPI, are needed)\n',
      )
      process.exit(3)
    }
  }
  return folder
}

const templates = (): string[] => [
  ...['.serverless', '.serverless-edge'].map((folder) => join(folder, TEMPLATE)),
  ...(existsSync(join(root, '.serverless-tenants'))
    ? readdirSync(join(root, '.serverless-tenants')).map((stack) => join('.serverless-tenants', stack, TEMPLATE))
    : []),
]

type Match = {
  readonly Rule: { readonly Id: string }
  readonly Message: string
  readonly Location: { readonly Path: readonly string[] | null }
}

const byCfnLint = (bin: string, files: readonly string[]): Finding[] =>
  (
    JSON.parse(
      run(join(bin, 'cfn-lint'), '--format', 'json', '--include-checks', 'W', 'I', '--', ...files) || '[]',
    ) as Match[]
  ).map(({ Rule, Message, Location }) => ({
    tool: 'cfn-lint',
    rule: Rule.Id,
    resource: Location.Path?.[1] ?? '',
    says: Message,
  }))

type Report = {
  readonly results?: {
    readonly failed_checks: readonly {
      readonly check_id: string
      readonly check_name: string
      readonly resource: string
    }[]
  }
  readonly summary?: { readonly passed: number; readonly parsing_errors: number }
}

const byCheckov = (bin: string, files: readonly string[]): Finding[] => {
  const output = run(
    join(bin, 'checkov'),
    '--framework',
    'cloudformation',
    '--skip-download',
    '--quiet',
    '--compact',
    '-o',
    'json',
    '-f',
    ...files,
  )
  const parsed: Report | Report[] = JSON.parse(output)
  const [report] = [parsed].flat()
  // What could not be parsed, or checked nothing at all, has not passed.
  if (report?.summary === undefined || report.summary.parsing_errors > 0 || report.summary.passed === 0)
    throw new Error('checkov judged nothing')
  return (report.results?.failed_checks ?? []).map((failed) => ({
    tool: 'checkov',
    rule: failed.check_id,
    resource: failed.resource.slice(failed.resource.lastIndexOf('.') + 1),
    says: failed.check_name,
  }))
}

/** `*` may stand at the beginning. */
const fits = (pattern: string, name: string): boolean =>
  pattern.startsWith('*') ? name.endsWith(pattern.slice(1)) : name === pattern

const files = templates()
const missing = files.filter((file) => !existsSync(join(root, file)))
if (missing.length > 0) {
  process.stderr.write(`gates: there is no ${missing[0]}; run npm run package first\n`)
  process.exit(2)
}
const bin = join(toolbox(), 'bin')
const given: Exceptions = parseDocument(read('infra/gates/exceptions.yml')).toJS()
const exceptions = [
  ...given['cfn-lint'].map(({ rule, resource }) => ({ tool: 'cfn-lint', rule, resource })),
  ...given.checkov.flatMap(({ check, resources }) =>
    resources.map((resource) => ({ tool: 'checkov', rule: check, resource })),
  ),
]
const used = new Set<object>()
const findings = [...byCfnLint(bin, files), ...byCheckov(bin, files)].filter((finding) => {
  const excepted = exceptions.filter(
    (e) => e.tool === finding.tool && e.rule === finding.rule && fits(e.resource, finding.resource),
  )
  for (const exception of excepted) used.add(exception)
  return excepted.length === 0
})
for (const { tool, rule, resource, says } of findings) process.stdout.write(`${tool} ${rule} ${resource}: ${says}\n`)
const idle = exceptions.filter((exception) => !used.has(exception))
for (const { tool, rule, resource } of idle)
  process.stdout.write(`${tool} ${rule} ${resource}: nothing needs this exception any more\n`)
process.stdout.write(
  `${files.length} templates, ${findings.length} findings, ${used.size} exceptions in use, ${idle.length} idle\n`,
)
process.exitCode = findings.length + idle.length > 0 ? 1 : 0
