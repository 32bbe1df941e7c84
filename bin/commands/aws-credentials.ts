// `mintmark aws-credentials`: inside a job, exchanges what the platform signed for a session of an AWS role. Prints it as a
// `credential_process` does, or runs a command that finds it where the AWS SDKs look.
import { type AwsCredentials, createAwsCredentials } from '../../lib/client/aws-credentials.ts'
import { serveContainerCredentials } from '../../lib/client/container-credentials.ts'
import { SOURCE_NAMES } from '../../lib/client/find-assertion.ts'
import { EXIT_CODES, type Outcome, type Problem } from '../../lib/client/outcome.ts'
import { runCommand } from '../../lib/client/run-command.ts'
import { parseTenantUrl } from '../../lib/client/secure-url.ts'
import { sendOnce } from '../../lib/client/send-http.ts'
import { jobSurroundings, systemTiming } from '../../lib/client/surroundings.ts'
import { type Command, type Io, readOptions, required, UsageError } from '../command.ts'
import { maskInGithub } from '../mask-in-github.ts'

const HELP = `Usage: mintmark aws-credentials --tenant-url URL [options] [--exec -- CMD…]

Inside a job: exchanges the assertion the platform signed for a session of the AWS role that a grant names. Prints it as
a credential_process does; in ~/.aws/config:

  [profile deployer]
  credential_process = mintmark aws-credentials --tenant-url https://sts.example.com/t/acme --grant deploy-prod

  --tenant-url URL          the tenant at the broker: https://sts.example.com/t/acme
  --grant NAME              the grant, where more than one could serve
  --audience AUD            the role, where the grant has several (default of a role: <tenant URL>/aws/<account id>)
  --assertion FILE          present this one; look nowhere else
  --assertion-audience AUD  audience to ask the platform for (default: the tenant URL)
  --from SOURCE             ask this source only: ${SOURCE_NAMES.slice(0, 6).join(', ')},
                            ${SOURCE_NAMES.slice(6).join(', ')}
  --exec -- CMD ARG…        run CMD with an endpoint on loopback that the AWS SDKs ask for credentials, and that renews
                            them (AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE); print nothing

Every session takes new evidence. In GitHub Actions what is printed is masked in the log.
Exit: 0 done, 1 refused, 2 wrong usage or no assertion here, 3 unavailable; with --exec the exit code of CMD.
`

export const run: Command['run'] = async (argv, io) => {
  const end = argv.indexOf('--')
  const [own, command] = end === -1 ? [argv, null] : [argv.slice(0, end), argv.slice(end + 1)]
  const { values, positionals } = readOptions(own, {
    'tenant-url': { type: 'string' },
    audience: { type: 'string' },
    grant: { type: 'string' },
    assertion: { type: 'string' },
    'assertion-audience': { type: 'string' },
    from: { type: 'string' },
    exec: { type: 'boolean' },
  })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  if (positionals.length > 0) throw new UsageError('aws-credentials takes no arguments')
  const tenantUrl = parseTenantUrl(required(values['tenant-url'], 'tenant-url'))
  if (tenantUrl === null)
    throw new UsageError('--tenant-url is an https URL without query and user (http: this machine only)')
  if (values.from !== undefined && !SOURCE_NAMES.includes(values.from))
    throw new UsageError(`--from is one of ${SOURCE_NAMES.join(', ')}`)
  const [file, ...args] = command ?? []
  if ((values.exec ?? false) !== (file !== undefined)) throw new UsageError('--exec is followed by "-- CMD"')

  const wanted = {
    assertion: { audience: values['assertion-audience'] ?? tenantUrl, file: values.assertion, from: values.from },
    target: { tenantUrl, audience: values.audience, grant: values.grant },
  }
  const open = createAwsCredentials(wanted, jobSurroundings(io.env), { send: sendOnce, timing: systemTiming })
  const opened = await open()
  if (!opened.ok) return report(opened.problem, values.json ?? false, io)
  if (file !== undefined) return runWith([file, ...args], opened.value, open, io)
  await maskInGithub([opened.value.SecretAccessKey, opened.value.SessionToken], io)
  io.stdout.write(`${JSON.stringify(opened.value, null, 2)}\n`)
  return 0
}

/** Credentials in the environment would be used before the endpoint is asked: the command gets none of them. */
const SHADOWING = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
]

const runWith = async (
  command: readonly [string, ...string[]],
  first: AwsCredentials,
  open: () => Promise<Outcome<AwsCredentials>>,
  io: Io,
): Promise<number> => {
  const endpoint = await serveContainerCredentials(first, open, Date.now)
  try {
    const inherited = Object.entries(io.env).filter(([name]) => !SHADOWING.includes(name))
    const code = await runCommand(command, { ...Object.fromEntries(inherited), ...endpoint.env })
    if (code === 126 || code === 127)
      io.stderr.write(`mintmark aws-credentials: ${command[0]} could not be run (${code})\n`)
    return code
  } finally {
    await endpoint.close()
  }
}

const report = (problem: Problem, isJson: boolean, io: Io): number => {
  for (const line of problem.says.split('\n')) io.stderr.write(`mintmark aws-credentials: ${line}\n`)
  const facts = problem.facts ?? { error: problem.kind, error_description: problem.says }
  if (isJson) io.stdout.write(`${JSON.stringify(facts, null, 2)}\n`)
  return EXIT_CODES[problem.kind]
}
