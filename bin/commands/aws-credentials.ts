// `mintmark aws-credentials`: inside a job, exchanges what the platform signed for a session of an AWS role. Prints it as a
// `credential_process` does, or runs a command that finds it where the AWS SDKs look.
import { type AwsCredentials, createAwsCredentials } from '../../lib/client/aws-credentials.ts'
import { serveContainerCredentials } from '../../lib/client/container-credentials.ts'
import type { Outcome } from '../../lib/client/outcome.ts'
import { runCommand } from '../../lib/client/run-command.ts'
import { sendOnce } from '../../lib/client/send-http.ts'
import { jobSurroundings, systemTiming } from '../../lib/client/surroundings.ts'
import { type Command, type Io, readOptions, UsageError } from '../command.ts'
import {
  HELP_ASSERTION,
  HELP_EXIT,
  HELP_GRANT,
  HELP_TENANT_URL,
  JOB_OPTIONS,
  readJob,
  reportUnrunnable,
  splitCommand,
} from '../job-command.ts'
import { maskInGithub } from '../mask-in-github.ts'
import { reportProblem } from '../report-problem.ts'

const HELP = `Usage: mintmark aws-credentials --tenant-url URL [options] [--exec -- CMD…]

Inside a job: exchanges the assertion the platform signed for a session of the AWS role that a grant names. Prints it as
a credential_process does; in ~/.aws/config:

  [profile deployer]
  credential_process = mintmark aws-credentials --tenant-url https://sts.example.com/t/acme --grant deploy-prod

${HELP_TENANT_URL}
${HELP_GRANT}
  --audience AUD            the role, where the grant has several (default of a role: <tenant URL>/aws/<account id>)
${HELP_ASSERTION}
  --exec -- CMD ARG…        run CMD with an endpoint on loopback that the AWS SDKs ask for credentials, and that renews
                            them (AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE); print nothing

Every session takes new evidence. In GitHub Actions what is printed is masked in the log.
${HELP_EXIT}
`

export const run: Command['run'] = async (argv, io) => {
  const [own, command] = splitCommand(argv)
  const { values, positionals } = readOptions(own, JOB_OPTIONS)
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  if (positionals.length > 0) throw new UsageError('aws-credentials takes no arguments')
  const { tenantUrl, assertion } = readJob(values)
  const [file, ...args] = command ?? []
  if ((values.exec ?? false) !== (file !== undefined)) throw new UsageError('--exec is followed by "-- CMD"')

  const wanted = {
    assertion,
    target: { tenantUrl, audience: values.audience, grant: values.grant },
  }
  const open = createAwsCredentials(wanted, jobSurroundings(io.env), { send: sendOnce, timing: systemTiming })
  const opened = await open()
  if (!opened.ok) return reportProblem(io, 'aws-credentials', opened.problem, values.json ?? false)
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
    return reportUnrunnable('aws-credentials', code, command[0], io)
  } finally {
    await endpoint.close()
  }
}
