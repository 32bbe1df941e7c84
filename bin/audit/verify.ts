// `mintmark audit verify`: a live log, an export, or a log behind HTTP, against its signatures, itself, its records, and what was
// seen of it before.
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { openLogDirectory } from '../../lib/adapters/files/log-directory.ts'
import { createAnchorRecords } from '../../lib/adapters/sqlite/anchor-records.ts'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import {
  checkpointNotesIn,
  type NoteKey,
  parseCheckpoint,
  parseVerifierKey,
  unverifiedText,
} from '../../lib/domain/tlog/signed-note.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { LOG_PROBLEMS } from '../../lib/flows/audit/log-problems.ts'
import { verifyLog } from '../../lib/flows/audit/verify-log.ts'
import type { LogSource } from '../../lib/ports/tenant-log.ts'
import { type Io, required, UsageError } from '../command.ts'
import { printable } from '../printable.ts'
import { type AfarValues, readAfar } from '../remote/call-tenant.ts'
import { startExportCrew } from './export-crew.ts'
import { openHttpLog } from './http-log.ts'
import { CannotOpen, openLog, VERIFY_PORTS } from './open-log.ts'
import { verifyReceipt } from './prove.ts'
import { openRemoteSource } from './remote-log.ts'
import { askedIn, startCrew, unloggedIn } from './verify-crew.ts'
import { type Against, type Report, verifyLive, warnOfNone, warnUnprovenExpiry } from './verify-live.ts'

export type VerifyValues = AfarValues & {
  readonly tenant?: string | undefined
  readonly data?: string | undefined
  readonly aws?: boolean | undefined
  readonly from?: string | undefined
  readonly url?: string | undefined
  readonly vkey?: readonly string[] | undefined
  readonly anchor?: readonly string[] | undefined
  readonly json?: boolean | undefined
}

export const verify = async (values: VerifyValues, io: Io): Promise<number> => {
  const afar = readAfar(values)
  const tenant = afar?.tenant ?? required(values.tenant, 'tenant')
  const given = [values.data, values.from, values.url, afar ?? undefined].filter((value) => value !== undefined)
  if (given.length + (values.aws === true ? 1 : 0) !== 1)
    throw new UsageError('verify takes one of --data, --aws, --from, --url and --tenant-url')
  const trusted = (values.vkey ?? []).map(readKey)
  const anchors = (values.anchor ?? []).flatMap((path) => readAnchor(path, tenant))
  const warnings: string[] = []
  const untrusted = 'no --vkey: the keys are those the log itself names'
  if (values.from !== undefined && isReceipt(values.from))
    return verifyReceipt(values.from, { tenant, trusted, keysIn, isJson: values.json ?? false }, io)

  const against = { trusted, anchors, warnings, keysIn }
  if (values.aws === true) return report(io, await ofAws(tenant, against, io.env), values)
  if (values.data !== undefined) return report(io, await ofData(values.data, tenant, against), values)
  warnOfNone(anchors, warnings)
  if (afar !== null) warnings.push('events are not compared with grant records: those are read with --data or --aws')
  const source = afar === null ? sourceOf(values) : openRemoteSource(afar)
  const own = trusted.length > 0 ? [] : keysIn(await source.vkeys())
  if (trusted.length === 0) warnings.push(untrusted)
  const keys = [...trusted, ...own]
  await using crew = values.from === undefined ? null : await crewOfExport(values.from, tenant, source)
  const question = { source, keys, tenant, earlier: anchors, ...(crew === null ? {} : { crew }) }
  const verified = await verifyLog(VERIFY_PORTS, question)
  warnUnprovenExpiry(verified, warnings)
  return report(io, { ...verified, recordsWithoutLeaf: [], warnings }, values)
}

const sourceOf = ({ from, url }: VerifyValues) =>
  from === undefined ? openHttpLog(url ?? '') : openLogDirectory(fromDirectory(from))

/** Its size is not believed yet: it says what help is worth. */
const crewOfExport = async (directory: string, tenant: string, source: LogSource) => {
  const note = await source.checkpoint()
  const size = note === null ? 0 : (parseCheckpoint(unverifiedText(note))?.size ?? 0)
  return startExportCrew({ kind: 'export', directory, tenant }, size)
}

const fromDirectory = (path: string): string => {
  if (!existsSync(path)) throw new CannotOpen(`there is no ${path}`, 'unavailable')
  return path
}

const ofData = async (dataDir: string, tenant: string, against: Against): Promise<Report> => {
  const opened = await openLog(dataDir, tenant)
  const { database, audit, vkeys, tainted, close } = opened
  try {
    return await verifyLive(
      {
        ...askedIn(opened),
        configs: createTenantConfigStore(database),
        vkeys: async () => vkeys,
        tainted,
        anchored: () => knownAnchors(audit, tenant, against.warnings),
        unlogged: (logged) => unloggedIn(opened, logged),
        startCrew: (isErased, size) => startCrew({ kind: 'data', dataDir, tenant, isErased }, size),
      },
      against,
    )
  } finally {
    close()
  }
}

const ofAws = async (tenant: string, against: Against, env: Io['env']): Promise<Report> => {
  // Nobody without AWS loads its SDK.
  const live = await (await import('./open-aws-log.ts')).openAwsRecords(tenant, against.warnings, env)
  try {
    return await verifyLive(live, against)
  } catch (error) {
    throw error instanceof Unavailable
      ? new CannotOpen('a table does not answer, or is not to be read', 'unavailable')
      : error
  } finally {
    live.close()
  }
}

const report = (io: Io, result: Report, { json }: VerifyValues): number => {
  const isGood = result.bad === null && result.recordsWithoutLeaf.length === 0
  for (const warning of result.warnings) io.stderr.write(`mintmark audit verify: warning: ${warning}\n`)
  if (json === true) io.stdout.write(`${JSON.stringify({ ok: isGood, ...result }, null, 2)}\n`)
  else {
    const { bad, size, origin, events, earlier, expired } = result
    // Of a log that lacks records no line says that it is good.
    if (bad === null)
      io.stdout.write(
        `${isGood ? 'good' : 'BAD: records are missing'}: ${size} leaves of ${origin}, ${events} events${expired === 0 ? '' : `, ${expired} expired`}, ${earlier} earlier checkpoints\n`,
      )
    else
      io.stdout.write(
        `BAD: ${LOG_PROBLEMS[bad.problem]} (${bad.problem})${bad.index === null ? '' : `, first at index ${bad.index}`}\n`,
      )
    for (const id of result.recordsWithoutLeaf)
      io.stdout.write(`BAD: the log has no leaf of the record ${printable(id)}\n`)
  }
  return isGood ? 0 : 1
}

const readKey = (text: string): NoteKey => {
  const key = parseVerifierKey(VERIFY_PORTS.hashes.sha256, text)
  if (key === null) throw new UsageError('--vkey is the verifier key of a log: name+id+key')
  return key
}

/** Those a log names itself. What is none is passed over, as signatures of keys are that nobody knows. */
const keysIn = (lines: readonly string[]): readonly NoteKey[] =>
  lines.flatMap((line) => parseVerifierKey(VERIFY_PORTS.hashes.sha256, line) ?? [])

const isReceipt = (path: string): boolean => existsSync(path) && path.endsWith('.json')

/** What `serve --anchor` was told of: files as they are now, of witnesses what they signed last. */
const knownAnchors = async (audit: Database, tenant: string, warnings: string[]): Promise<readonly string[]> => {
  const notes: string[] = []
  for (const { anchor, note } of await createAnchorRecords(audit).of(tenant)) {
    if (/^https?:/.test(anchor)) notes.push(note)
    else if (isReadable(anchor)) notes.push(...readAnchor(anchor, tenant))
    else warnings.push(`the anchor ${anchor} cannot be read here: give a copy of it with --anchor`)
  }
  return notes
}

const isReadable = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

/** The checkpoints of a file. Those of other tenants are not looked at. */
const readAnchor = (path: string, tenant: string): string[] => {
  if (!existsSync(path)) throw new CannotOpen(`there is no anchor ${path}`, 'unavailable')
  const text = readFileSync(path, 'utf8')
  if (!/^— /mu.test(text)) throw new CannotOpen(`${path} has no checkpoint`, 'usage')
  return checkpointNotesIn(text).filter((note) => !isOfAnother(note, tenant))
}

const isOfAnother = (note: string, tenant: string): boolean => {
  const other = /\/t\/([a-z][a-z0-9]{2,30})\/log$/.exec(note.slice(0, note.indexOf('\n')))?.[1]
  return other !== undefined && other !== tenant
}
