// What `mintmark token` and `mintmark aws-credentials` have in common: both run inside a job, show what its platform signed, and
// may run a command with what they get for it.
import { SOURCE_NAMES } from '../lib/client/find-assertion.ts'
import { parseTenantUrl } from '../lib/client/secure-url.ts'
import { type Io, required, UsageError } from './command.ts'

export const JOB_OPTIONS = {
  'tenant-url': { type: 'string' },
  audience: { type: 'string' },
  grant: { type: 'string' },
  assertion: { type: 'string' },
  'assertion-audience': { type: 'string' },
  from: { type: 'string' },
  exec: { type: 'boolean' },
} as const

export const HELP_TENANT_URL = '  --tenant-url URL          the tenant at the broker: https://sts.example.com/t/acme'
export const HELP_GRANT = '  --grant NAME              the grant, where more than one could serve'
export const HELP_ASSERTION = `\
  --assertion FILE          present this one; look nowhere else
  --assertion-audience AUD  audience to ask the platform for (default: the tenant URL)
  --from SOURCE             ask this source only: ${SOURCE_NAMES.slice(0, 6).join(', ')},
                            ${SOURCE_NAMES.slice(6, 13).join(', ')},
                            ${SOURCE_NAMES.slice(13).join(', ')}`
export const HELP_EXIT =
  'Exit: 0 done, 1 refused, 2 wrong usage or no assertion here, 3 unavailable; with --exec the exit code of CMD.'

/** The command's own arguments, and those after `--`, which are another command's; null: there is no `--`. */
export const splitCommand = (argv: readonly string[]): readonly [readonly string[], readonly string[] | null] => {
  const end = argv.indexOf('--')
  return end === -1 ? [argv, null] : [argv.slice(0, end), argv.slice(end + 1)]
}

type JobValues = {
  readonly [option in 'tenant-url' | 'assertion' | 'assertion-audience' | 'from']?: string | undefined
}

/** Where to exchange, and which evidence to look for. Throws UsageError. */
export const readJob = (values: JobValues) => {
  const tenantUrl = parseTenantUrl(required(values['tenant-url'], 'tenant-url'))
  if (tenantUrl === null)
    throw new UsageError('--tenant-url is an https URL without query and user (http: this machine only)')
  const { assertion: file, from } = values
  if (from !== undefined && !SOURCE_NAMES.includes(from))
    throw new UsageError(`--from is one of ${SOURCE_NAMES.join(', ')}`)
  return { tenantUrl, assertion: { audience: values['assertion-audience'] ?? tenantUrl, file, from } }
}

/** What a shell says of a command that is not there, or may not be run. */
export const reportUnrunnable = (name: string, code: number, command: string, io: Io): number => {
  if (code === 126 || code === 127) io.stderr.write(`mintmark ${name}: ${command} could not be run (${code})\n`)
  return code
}
