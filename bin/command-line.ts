// The commands, each a file of its own in bin/commands, loaded when it is asked for, and what becomes of what they throw.
// Exit: 0 done, 1 refused or a failed check, 2 wrong usage, 3 unavailable.
import { readFileSync } from 'node:fs'
import { DataDirectoryRefused } from '../lib/adapters/sqlite/data-directory.ts'
import { failureOf } from '../lib/adapters/sqlite/sqlite-error.ts'
import { Unavailable } from '../lib/domain/unavailable.ts'
import { type Command, type Io, UsageError } from './command.ts'
import { reportProblem } from './report-problem.ts'

const COMMANDS: Readonly<Record<string, { readonly says: string; readonly load: () => Promise<Command> }>> = {
  serve: { says: 'run the embedded broker', load: () => import('./commands/serve.ts') },
  apply: { says: 'check tenant documents and make them current', load: () => import('./commands/apply.ts') },
  lint: {
    says: 'check tenant documents and report what is unsafe or ambiguous',
    load: () => import('./commands/lint.ts'),
  },
  test: { says: 'run the policy tests beside the tenant documents', load: () => import('./commands/test.ts') },
  explain: {
    says: 'show every condition of every grant for an assertion, offline',
    load: () => import('./commands/explain.ts'),
  },
  decision: { says: 'show why a past request was allowed or denied', load: () => import('./commands/decision.ts') },
  token: {
    says: "inside a job: exchange the platform's assertion for a token",
    load: () => import('./commands/token.ts'),
  },
  revoke: {
    says: 'deny a credential, a run, a project … from now on, and what was issued to it',
    load: () => import('./commands/revoke.ts'),
  },
  unblock: { says: 'lift a block, on record', load: () => import('./commands/unblock.ts') },
  revocations: { says: 'list the revocations in force', load: () => import('./commands/revocations.ts') },
  events: {
    says: 'list the security events received, and what came of each',
    load: () => import('./commands/events.ts'),
  },
  'aws-credentials': {
    says: "inside a job: exchange the platform's assertion for a session of an AWS role",
    load: () => import('./commands/aws-credentials.ts'),
  },
  'aws-trust': {
    says: 'print the identity provider and the trust policies the AWS roles of a tenant need',
    load: () => import('./commands/aws-trust.ts'),
  },
  audit: {
    says: 'verify, search, follow, export and prove the audit log of a tenant',
    load: () => import('./commands/audit.ts'),
  },
  sinks: {
    says: 'show how far each sink of a tenant is, test one, send its dead letters again',
    load: () => import('./commands/sinks.ts'),
  },
  recover: {
    says: 'after a restore: end what was issued, refuse earlier evidence, serve again',
    load: () => import('./commands/recover.ts'),
  },
  keys: { says: 'list, rotate or taint the signing keys of a tenant', load: () => import('./commands/keys.ts') },
}

const usage = (): string =>
  `Usage: mintmark <command> [options]\n       mintmark --version\n\n${Object.entries(COMMANDS)
    .map(([name, { says }]) => `  ${name.padEnd(16)} ${says}`)
    .join('\n')}\n\n"mintmark <command> --help" tells more.\n`

/** Gives the exit code. Throws bugs, and nothing else. */
export const runCommandLine = async (argv: readonly string[], io: Io): Promise<number> => {
  const [name, ...rest] = argv
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    ;(name === undefined ? io.stderr : io.stdout).write(usage())
    return name === undefined ? 2 : 0
  }
  if (name === '--version') {
    io.stdout.write(`${version()}\n`)
    return 0
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command) {
    io.stderr.write(`mintmark: there is no command "${name.slice(0, 40)}"\n\n${usage()}`)
    return 2
  }
  try {
    return await (await command.load()).run(rest, io)
  } catch (error) {
    const isJson = untilDashes(rest).includes('--json')
    const outage = saysOfOutage(error)
    if (outage !== null) return reportProblem(io, name, { kind: 'unavailable', says: outage }, isJson)
    if (!(error instanceof UsageError) && !isParseArgsError(error)) throw error
    // Node's advice after that is about arguments no command takes.
    const says = error.message.replace(/\. To specify a positional argument .*$/s, '')
    const code = reportProblem(io, name, { kind: 'usage', says }, isJson)
    io.stderr.write(`Try "mintmark ${name} --help".\n`)
    return code
  }
}

/** What the machine and its files can cause; null: it is wrong usage, or a bug. */
const saysOfOutage = (error: unknown): string | null => {
  if (error instanceof Unavailable) return `not available now (${error.kind})`
  if (error instanceof DataDirectoryRefused) return error.message
  if (!(error instanceof Error)) return null
  const { syscall, path, code } = error as NodeJS.ErrnoException
  if (syscall !== undefined) return `${path ?? 'a file'}: ${code}`
  const isOfStore = code === 'ERR_SQLITE_ERROR' && failureOf(error) !== 'bug'
  return isOfStore ? `a database of the data directory cannot be used: ${error.message}` : null
}

/** What stands after `--` is another command's. */
const untilDashes = (argv: readonly string[]): readonly string[] =>
  argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version: string })
    .version

const isParseArgsError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
