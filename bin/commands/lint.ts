// `mintmark lint DIR`: what a broker would refuse to load (exit 1) and what it would load and the author should think about
// again (exit 0). Offline; reads nothing but DIR.
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { type LintWarning, lintTenant } from '../../lib/wire/lint-tenant.ts'
import { formatProblem } from '../../lib/wire/tenant-problem.ts'
import { type Command, readOptions, UsageError } from '../command.ts'
import { painter } from '../policy/paint.ts'
import { assumption, loadTenantDirectory } from '../policy/tenant-directory.ts'

const HELP = `Usage: mintmark lint DIR [options]

Checks the tenant documents DIR/*.yaml. Errors are what "serve" and "apply" refuse; warnings are advice.

  --base-url URL   base URL of the broker (default: what the documents' audiences say)
  --dev            as "serve --dev": http to loopback is allowed
  --strict         warnings fail too
  --json           one JSON document on stdout

Exit: 0 no errors, 1 errors, 2 wrong usage.
`

export const run: Command['run'] = async (argv, io) => {
  const { values, positionals } = readOptions(argv, {
    'base-url': { type: 'string' },
    dev: { type: 'boolean' },
    strict: { type: 'boolean' },
  })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  const [directory, ...more] = positionals
  if (directory === undefined || more.length > 0) throw new UsageError('one directory of tenant documents is needed')
  const set = loadTenantDirectory(directory, { baseUrl: values['base-url'], dev: values.dev ?? false })
  if (set.isBaseUrlAssumed) io.stderr.write(`mintmark lint: ${assumption(set.baseUrl)}\n`)
  const warnings = set.tenants.flatMap((tenant) => lintTenant(tenant, PROVIDER_CATALOG))
  const code = set.problems.length > 0 || (values.strict && warnings.length > 0) ? 1 : 0
  if (values.json) {
    io.stdout.write(
      `${JSON.stringify({ ok: code === 0, tenants: set.tenants.map(({ config }) => config.tenant), errors: set.problems, warnings }, null, 2)}\n`,
    )
    return code
  }
  const { bad, dim, bold } = painter(io)
  for (const problem of set.problems) io.stdout.write(`${bad('error')}    ${formatProblem(problem)}\n`)
  for (const warning of warnings) io.stdout.write(`${bold('warning')}  ${formatWarning(warning, dim)}\n`)
  const counts = `${set.files.length} ${set.files.length === 1 ? 'document' : 'documents'}, ${count(set.problems.length, 'error')}, ${count(warnings.length, 'warning')}`
  io.stdout.write(`${set.problems.length + warnings.length > 0 ? '\n' : ''}${counts}\n`)
  return code
}

const count = (number: number, noun: string): string =>
  `${number === 0 ? 'no' : number} ${noun}${number === 1 ? '' : 's'}`

const formatWarning = (warning: LintWarning, dim: (text: string) => string): string =>
  `${formatProblem(warning)} ${dim(`[${warning.rule}]`)}`
