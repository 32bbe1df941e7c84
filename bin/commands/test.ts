// `mintmark test DIR`: runs the policy tests DIR/<tenant>.test.yaml against the documents beside them. Offline.
import { basename } from 'node:path'
import { readPolicyTestFiles } from '../../lib/adapters/files/tenant-files.ts'
import { readYamlDocument, type YamlSource } from '../../lib/wire/load-tenant.ts'
import { formatProblem, type TenantProblem } from '../../lib/wire/tenant-problem.ts'
import { type Command, readOptions, UsageError } from '../command.ts'
import { painter } from '../policy/paint.ts'
import { policyTestSchema } from '../policy/policy-test-document.ts'
import { runPolicyCase } from '../policy/run-policy-case.ts'
import { loadTenantDirectory } from '../policy/tenant-directory.ts'

const HELP = `Usage: mintmark test DIR [options]

Runs the policy tests DIR/<tenant>.test.yaml against the tenant documents DIR/*.yaml:

  tests:
    - name: a push to main deploys
      assertion: ../events/assertions/github.json     # or claims: { … }
      with: { ref: refs/heads/main, environment: null }   # null removes a claim
      target: https://deploy.acme.example             # or { audience, scope: [], grant }
      expect: { grant: deploy-prod }                  # or { deny: no_grant_matches }

  --base-url URL   base URL of the broker (default: what the documents' audiences say)
  --dev            as "serve --dev"
  --json           one JSON document on stdout

Exit: 0 all hold, 1 one does not or a document is refused, 2 wrong usage.
`

type CaseResult = {
  readonly file: string
  readonly line: number
  readonly tenant: string
  readonly name: string
  readonly ok: boolean
  readonly why: readonly string[]
}

export const run: Command['run'] = async (argv, io) => {
  const { values, positionals } = readOptions(argv, { 'base-url': { type: 'string' }, dev: { type: 'boolean' } })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  const [directory, ...more] = positionals
  if (directory === undefined || more.length > 0) throw new UsageError('one directory of tenant documents is needed')
  const set = loadTenantDirectory(directory, { baseUrl: values['base-url'], dev: values.dev ?? false })
  const problems: TenantProblem[] = [...set.problems]
  const results = readPolicyTestFiles(directory).flatMap((source) => {
    const outcome = runFile(source, set)
    problems.push(...outcome.problems)
    return outcome.results
  })
  const failed = results.filter(({ ok }) => !ok).length
  const code = problems.length > 0 || failed > 0 ? 1 : 0
  if (values.json) {
    io.stdout.write(
      `${JSON.stringify({ ok: code === 0, passed: results.length - failed, failed, problems, results }, null, 2)}\n`,
    )
    return code
  }
  const { good, bad, dim } = painter(io)
  for (const problem of problems) io.stdout.write(`${bad('error')} ${formatProblem(problem)}\n`)
  for (const { file, line, tenant, name, ok, why } of results) {
    io.stdout.write(`${ok ? good('✓') : bad('✗')} ${tenant}: ${name}${ok ? '' : dim(` (${file}:${line})`)}\n`)
    for (const text of why) io.stdout.write(`    ${text}\n`)
  }
  io.stdout.write(
    `\n${results.length - failed} passed, ${failed} failed${results.length === 0 ? dim(` (there is no *.test.yaml in ${directory})`) : ''}\n`,
  )
  return code
}

type Outcome = { readonly results: readonly CaseResult[]; readonly problems: readonly TenantProblem[] }

const runFile = (source: YamlSource, { tenants, problems }: ReturnType<typeof loadTenantDirectory>): Outcome => {
  const read = readYamlDocument(source, policyTestSchema)
  if (!read.ok) return { results: [], problems: read.problems }
  const tenant = read.value.tenant ?? basename(source.file).replace(/\.test\.ya?ml$/, '')
  const config = tenants.find((candidate) => candidate.config.tenant === tenant)?.config
  if (config === undefined) {
    // A document that was refused is reported already.
    return {
      results: [],
      problems:
        problems.length > 0 ? [] : [read.problemAt(['tenant'], `there is no tenant "${tenant}" beside these tests`)],
    }
  }
  const results = read.value.tests.map((test, index) => {
    const why = runPolicyCase(config, test, source.file)
    return {
      file: source.file,
      line: read.problemAt(['tests', index], '').line,
      tenant,
      name: test.name,
      ok: why === null,
      why: why ?? [],
    }
  })
  return { results, problems: [] }
}
