// `mintmark audit verify|repair|search|tail|export|prove`: a tenant's audit log, in the data directory, in an export, or behind HTTP.
import { SEARCH_KEYS, type SearchKey } from '../../lib/domain/audit-search.ts'
import { CannotOpen, type OpenReadable, readableIn } from '../audit/open-log.ts'
import { prove } from '../audit/prove.ts'
import { exportLog, parseTime, type Search, search, tail } from '../audit/read.ts'
import { openRemoteLog } from '../audit/remote-log.ts'
import { repair } from '../audit/repair.ts'
import { verify } from '../audit/verify.ts'
import { type Io, readOptions, required, UsageError } from '../command.ts'
import { AFAR_OPTIONS, type AfarValues, readAfar } from '../remote/call-tenant.ts'
import { reportProblem } from '../report-problem.ts'

const HELP = `Usage: mintmark audit verify --tenant T (--data DIR | --aws | --from PATH | --url URL) [--vkey KEY …] [--anchor FILE …]
       mintmark audit verify --tenant-url URL --token-file F [--vkey KEY …] [--anchor FILE …]
       mintmark audit repair --tenant T --data DIR
       mintmark audit search LOG [--identity ID] [--project ID] [--run ID] [--decision ID] [--credential JTI] [--code CODE]
                             [--since TIME] [--until TIME] [--limit N]
       mintmark audit tail   LOG [--lines N] [--follow]
       mintmark audit export LOG [--out DIR]
       mintmark audit prove DECISION LOG

LOG is one of
  --tenant T --data DIR               in a data directory
  --tenant-url URL --token-file F     at a broker, over HTTP: https://sts.example.com/t/acme, and a token with scope audit:read
  --tenant T --aws                    of the deployment on AWS, in a session of the role mintmark-operator; keys are those of its public
                                      log, unless --vkey names one
--dpop-key F goes with --token-file: the private key the token is bound to, if it is (PEM or JWK).

verify  every event against its commitment and the event before it, every commitment against the tiles, every root against
        its signature, the log's earlier checkpoints and those of --anchor; with --data and --aws every event of a grant
        against its record, and every record against the log. Names the first index that is bad.
        --tenant-url: the same of events over HTTP; records are in the broker's store, and not compared
        --from: a directory of "audit export --out", or a receipt of "audit prove" (a file NAME.json)
        --url: the public log, https://<host>/t/<tenant>/log
        --vkey: the verifier key that is trusted; otherwise the log's own word is taken for it
        --anchor: a file of checkpoints that were seen before; the broker's own anchors (--data) and the locked bucket (--aws)
        are compared without it
repair  appends what the log should have and does not, as verify found it
search  times: 2026-11-26T12:00:00Z, or an age such as 30m, 24h, 7d
tail    --json: one JSON document a line, an event each, for it may go on for ever (--follow)
export  with --out a directory that "verify --from" and any tlog-tiles tool read; otherwise on stdout, one line an event,
        or with --json one document of them all
prove   a receipt that the event is in the log; DECISION is a decision id, or the id of any event. Of a denial that was only counted
        it is the event with the count of its minute

Safe beside a running broker. --json prints one JSON document (tail: one a line). Exit: 0 good or found, 1 bad or nothing found,
2 wrong usage, 3 unavailable.
`

const text = { type: 'string' as const }
const texts = { type: 'string' as const, multiple: true as const }

export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  const { values, positionals } = readOptions(argv, {
    tenant: text,
    data: text,
    from: text,
    url: text,
    vkey: texts,
    anchor: texts,
    identity: text,
    project: text,
    run: text,
    decision: text,
    credential: text,
    code: text,
    since: text,
    until: text,
    limit: { type: 'string', default: '100' },
    lines: { type: 'string', default: '20' },
    follow: { type: 'boolean', short: 'f', default: false },
    out: text,
    aws: { type: 'boolean', default: false },
    ...AFAR_OPTIONS,
  })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  const [verb, subject, ...more] = positionals
  if ((subject === undefined) === (verb === 'prove') || more.length > 0)
    throw new UsageError('audit takes verify, repair, search, tail, export or prove DECISION')
  const isJson = values.json ?? false
  const open = () => openerOf(values)
  try {
    switch (verb) {
      case 'verify':
        return await verify(values, io)
      case 'repair':
        return await repair(required(values.data, 'data'), required(values.tenant, 'tenant'), isJson, io)
      case 'search':
        return await search(open(), searchOf(values), isJson, io)
      case 'tail':
        return await tail(open(), { count: countOf(values.lines), isFollowing: values.follow }, isJson, io)
      case 'export':
        return await exportLog(open(), values.out, isJson, io)
      case 'prove':
        return await prove(open(), subject!, io)
      default:
        throw new UsageError('audit takes verify, repair, search, tail, export or prove DECISION')
    }
  } catch (error) {
    if (!(error instanceof CannotOpen)) throw error
    return reportProblem(io, `audit ${verb}`, { kind: error.kind, says: error.message }, isJson)
  }
}

/** Nobody without AWS loads its SDK. */
const openerOf = (values: AfarValues & { readonly aws: boolean }): OpenReadable => {
  const { aws, data } = values
  const afar = readAfar(values)
  if (aws && (data ?? afar ?? undefined) !== undefined)
    throw new UsageError('--data, --aws and --tenant-url are three places')
  if (afar !== null) return () => openRemoteLog(afar)
  const tenant = required(values.tenant, 'tenant')
  if (!aws) return readableIn(required(data, 'data'), tenant)
  return async () => (await import('../audit/open-aws-log.ts')).openAwsLog(tenant)
}

const countOf = (digits: string): number => {
  if (!/^[1-9][0-9]{0,6}$/.test(digits)) throw new UsageError('a count is a whole number, at least 1')
  return Number(digits)
}

const searchOf = (values: Readonly<Record<string, unknown>>): Search => {
  const nowMs = Date.now()
  const timeOf = (value: unknown, otherwise: number) =>
    typeof value === 'string' ? parseTime(value, nowMs) : otherwise
  return {
    wanted: (Object.keys(SEARCH_KEYS) as SearchKey[]).flatMap((key) => {
      const value = values[key]
      return typeof value === 'string' ? [[key, value] as const] : []
    }),
    sinceMs: timeOf(values['since'], 0),
    untilMs: timeOf(values['until'], Number.MAX_SAFE_INTEGER),
    limit: countOf(String(values['limit'])),
  }
}
