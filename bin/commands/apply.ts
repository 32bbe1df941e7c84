// `mintmark apply`: checked documents become the current configuration of a data directory, beside a running broker or not, or
// of the tables on AWS.
import { spawnSync } from 'node:child_process'
import { userInfo } from 'node:os'
import { keptBaseUrl } from '../../lib/adapters/sqlite/broker-place.ts'
import { type Database, openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import {
  type Applied,
  type ApplyPorts,
  applyTenants,
  blocksLeft,
  type CheckedDocument,
} from '../../lib/flows/tenants/apply-tenants.ts'
import type { TenantConfigStore } from '../../lib/ports/tenants.ts'
import { sinksNotOnAws } from '../../lib/wire/sinks-on-aws.ts'
import { type Io, readOptions, required, UsageError } from '../command.ts'
import { loadDirectory } from '../embedded/load-directory.ts'
import { openDatabaseBeside } from '../embedded/open-store.ts'
import { embeddedCut } from '../embedded/revocation.ts'
import { readBaseUrl } from '../policy/base-url.ts'
import { reportProblem } from '../report-problem.ts'

const ERASED_AFTER_DAYS = LIMITS.removedTenantKeepSeconds / (24 * 3600)

const DEFAULT_BASE_URL = 'http://127.0.0.1:8080'

const HELP = `Usage: mintmark apply DIR (--data DIR | --aws) [--base-url URL] [--dev] [--dry-run] [--keep-issued]
       mintmark apply --remove TENANT (--data DIR | --aws)

Checks every tenant document of DIR and makes what changed current; a running broker sees it with its next request.
A tenant whose file is missing is reported and left as it is. Each version records author, commit, digest and difference.
What a grant or an issuer issued that is gone, or allows less than before, is cut: it ends, and for half a minute nothing new is issued by it.

  --data DIR        the data directory
  --aws             the tables of the account and Region of the environment, with a session of the role mintmark-apply
  --base-url URL    what the broker's issuers are built from; default: what a broker on --data was last started with, or
                    ${DEFAULT_BASE_URL}
  --dev             allow http to loopback, as serve --dev does
  --dry-run         show what would change
  --keep-issued     cut nothing: what was issued lives on to its end
  --stage STAGE     with --aws, the stage of the broker (default: prod)
  --remove TENANT   write a tombstone: the tenant is denied from this moment, and a running broker erases its keys, documents
                    and records ${ERASED_AFTER_DAYS} days later. Its name is never given out again
`

export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  const { values, positionals } = readOptions(argv, {
    data: { type: 'string' },
    aws: { type: 'boolean', default: false },
    'base-url': { type: 'string' },
    dev: { type: 'boolean', default: false },
    'dry-run': { type: 'boolean', default: false },
    'keep-issued': { type: 'boolean', default: false },
    stage: { type: 'string', default: 'prod' },
    remove: { type: 'string' },
  })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  if (values.aws && values.data !== undefined) throw new UsageError('apply takes --data or --aws, not both')
  const open = values.aws ? () => openTables(values.stage) : () => openDirectory(required(values.data, 'data'))
  if (values.remove !== undefined) {
    const { remove: tenant, data, json } = values
    if (values.aws) return remove(tenant, await open(), io, json)
    const opened = openDatabaseBeside(required(data, 'data'))
    if (!opened.ok) return reportProblem(io, 'apply', { kind: 'unavailable', says: opened.problem }, json)
    return remove(tenant, openedIn(opened.database, required(data, 'data')), io, json)
  }
  const [directory, ...more] = positionals
  if (directory === undefined || more.length > 0) throw new UsageError('apply takes one directory')
  const kept = values.data === undefined ? null : baseUrlOf(values.data)
  const baseUrl = readBaseUrl(values['base-url']) ?? kept ?? DEFAULT_BASE_URL
  const place = { baseUrl, dev: values.dev || baseUrl.startsWith('http://127.0.0.1') }
  const loaded = loadDirectory(directory, place)
  const refuse = (problems: readonly string[]): number => {
    for (const problem of problems) io.stderr.write(`${problem}\n`)
    if (values.json) io.stdout.write(`${JSON.stringify({ error: 'refused', problems }, null, 2)}\n`)
    return 1
  }
  if (!loaded.ok) return refuse(loaded.problems)
  if (values.aws) warnOfSinks(loaded.documents, io)
  const { configs, cut, close } = await open()
  const isKept = values['keep-issued']
  const isDryRun = values['dry-run']
  try {
    const taken = await loaded.problemsBeside(configs)
    if (taken.length > 0) return refuse(taken)
    const report = await applyTenants(
      {
        configs: isDryRun ? { ...configs, put: async () => true } : configs,
        clock: systemClock,
        cut: isKept || isDryRun ? null : cut,
      },
      loaded.documents,
      authorOf(directory),
    )
    if (values.json) io.stdout.write(`${JSON.stringify(report)}\n`)
    else for (const applied of report.applied) io.stdout.write(describe(applied, isKept))
    for (const warning of report.applied.flatMap(blocksLeft)) io.stderr.write(`mintmark apply: warning: ${warning}\n`)
    for (const tenant of report.missing)
      io.stderr.write(
        `mintmark apply: ${tenant} is in the store but in no file; it stays as it is (--remove ${tenant} removes it)\n`,
      )
    return report.applied.some(({ outcome }) => outcome === 'refused_tombstone') ? 1 : 0
  } finally {
    close()
  }
}

const warnOfSinks = (documents: readonly CheckedDocument[], io: Io): void => {
  for (const warning of documents.flatMap(({ tenant, document }) => sinksNotOnAws(tenant, document)))
    io.stderr.write(`mintmark apply: warning: ${warning}\n`)
}

type Opened = {
  readonly configs: TenantConfigStore
  readonly cut: NonNullable<ApplyPorts['cut']>
  readonly close: () => void
}

/** Null: no broker ran on it yet, or there is nothing yet. */
const baseUrlOf = (dataDir: string): string | null => {
  const opened = openDatabaseBeside(dataDir)
  if (!opened.ok) return null
  try {
    return keptBaseUrl(opened.database)
  } finally {
    opened.database.close()
  }
}

/** May be a new one: documents are applied before the first start, too. */
const openDirectory = async (dataDir: string): Promise<Opened> =>
  openedIn(openDatabase({ dataDir, dev: null }), dataDir)

const openedIn = (database: Database, dataDir: string): Opened => ({
  configs: createTenantConfigStore(database),
  cut: embeddedCut(database, dataDir),
  close: () => database.close(),
})

/** The SDK comes only with --aws: it is large, and finds place and credentials as every AWS tool does. */
const openTables = async (stage: string): Promise<Opened> => {
  const { openAwsConfigs } = await import('../aws/core-table.ts')
  const { cutOnAws } = await import('../aws/order-revocation.ts')
  return { ...openAwsConfigs(), cut: cutOnAws(stage) }
}

const SAYS: Readonly<Record<Applied['outcome'], string>> = {
  created: 'created',
  changed: 'changed',
  unchanged: 'unchanged',
  rolled_back: 'CHANGED BACK to a document that was current before',
  refused_tombstone: 'refused: the tenant was removed',
}

const describe = ({ tenant, outcome, version, diff, narrowed }: Applied, isKept: boolean): string =>
  [
    `${tenant}: ${SAYS[outcome]} (version ${version})`,
    ...diff.map((line) => `  ${line}`),
    ...narrowed.map(({ kind, value }) => `  ${isKept ? 'kept' : 'cut'}: what ${kind} ${value} issued`),
    '',
  ].join('\n')

const remove = async (
  tenant: string,
  { configs, close }: Opened,
  io: Io,
  isJson: boolean | undefined,
): Promise<number> => {
  try {
    if ((await configs.latest(tenant)) === null)
      return reportProblem(io, 'apply', { kind: 'refused', says: `there is no tenant "${tenant}"` }, isJson)
    await configs.tombstone(tenant, systemClock.nowSeconds(), userInfo().username)
    io.stdout.write(
      isJson
        ? `${JSON.stringify({ removed: tenant })}\n`
        : `${tenant}: removed; nothing is issued for it from now on, and in ${ERASED_AFTER_DAYS} days it is erased\n`,
    )
    return 0
  } finally {
    close()
  }
}

/** Who applies, and the commit of the reviewed files where the directory is in a git work tree. */
export const authorOf = (directory: string): { readonly author: string; readonly commit: string } => {
  const git = spawnSync('git', ['-C', directory, 'rev-parse', 'HEAD'], { encoding: 'utf8' })
  return { author: userInfo().username, commit: git.status === 0 ? git.stdout.trim() : '' }
}
