// `mintmark token`: inside a job, exchanges what the platform signed for a token (design §9). Prints it, writes it to a file or
// runs a command with it; never prints the assertion.
import { readDpopKey } from '../../lib/client/dpop-key.ts'
import { exchangeAssertion, type IssuedToken, newIdempotencyKey } from '../../lib/client/exchange.ts'
import { findAssertion } from '../../lib/client/find-assertion.ts'
import { runCommand } from '../../lib/client/run-command.ts'
import { jobSurroundings } from '../../lib/client/surroundings.ts'
import { whyNotWritable, writeToken } from '../../lib/client/write-token.ts'
import { type Command, type Io, readOptions, required, UsageError } from '../command.ts'
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

const TOKEN_VARIABLE = 'MINTMARK_TOKEN'

const HELP = `Usage: mintmark token --tenant-url URL --audience AUD [options] [--out FILE | --exec -- CMD…]

Inside a job: finds the assertion the platform signed for it and exchanges it for a short-lived token.

${HELP_TENANT_URL}
  --audience AUD            what the token is for
  --dpop-key FILE           bind it to this private key (PEM or JWK): it is then good only with proofs of that key
  --scope "A B"             less than the grant issues (default: all of it)
${HELP_GRANT}
${HELP_ASSERTION}
  --out FILE                write the token to FILE (replaced atomically, mode 0600)
  --exec -- CMD ARG…        run CMD with ${TOKEN_VARIABLE} in its environment; print nothing
  --json                    one JSON document on stdout

Without --out and --exec the token is printed. In GitHub Actions it is masked in the log.
${HELP_EXIT}
`

type Delivery =
  | { readonly kind: 'print' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'exec'; readonly command: readonly [string, ...string[]] }

export const run: Command['run'] = async (argv, io) => {
  const [own, command] = splitCommand(argv)
  const { values, positionals } = readOptions(own, {
    ...JOB_OPTIONS,
    scope: { type: 'string' },
    'dpop-key': { type: 'string' },
    out: { type: 'string' },
  })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  const isJson = values.json ?? false
  // Not named in the message: it may be a token, pasted where it does not belong.
  if (positionals.length > 0)
    throw new UsageError('token takes no arguments; a command to run stands after "--exec --"')
  const { tenantUrl, assertion } = readJob(values)
  const audience = required(values.audience, 'audience')
  const delivery = await readDelivery({ out: values.out, isExec: values.exec ?? false, isJson }, command)

  const around = jobSurroundings(io.env)
  // Before evidence is looked for, which may cost a call.
  const key = values['dpop-key'] === undefined ? null : await readDpopKey(values['dpop-key'])
  if (key?.ok === false) return reportProblem(io, 'token', key.problem, isJson)
  const found = await findAssertion(assertion, around)
  if (!found.ok) return reportProblem(io, 'token', found.problem, isJson)
  const issued = await exchangeAssertion(
    {
      tenantUrl,
      assertion: found.value.assertion,
      audience,
      scope: values.scope,
      grant: values.grant,
      idempotencyKey: newIdempotencyKey(),
      dpopKey: key?.value,
    },
    around.http,
  )
  if (!issued.ok) return reportProblem(io, 'token', issued.problem, isJson)
  if (delivery.kind !== 'file') await maskInGithub([issued.value.accessToken], io)
  return deliver(issued.value, delivery, isJson, io)
}

/** Before any evidence is spent: it can be redeemed once. */
const readDelivery = async (
  options: { readonly out: string | undefined; readonly isExec: boolean; readonly isJson: boolean },
  command: readonly string[] | null,
): Promise<Delivery> => {
  if (options.isExec) {
    if (options.out !== undefined || options.isJson) throw new UsageError('--exec goes with neither --out nor --json')
    const [file, ...args] = command ?? []
    if (!file) throw new UsageError('--exec is followed by "-- CMD"')
    return { kind: 'exec', command: [file, ...args] }
  }
  if (command !== null) throw new UsageError('a command after "--" needs --exec')
  if (options.out === undefined) return { kind: 'print' }
  const problem = options.out === '' ? 'names no file' : await whyNotWritable(options.out)
  if (problem !== null) throw new UsageError(`--out ${options.out}: ${problem}`)
  return { kind: 'file', path: options.out }
}

const deliver = async (issued: IssuedToken, delivery: Delivery, isJson: boolean, io: Io): Promise<number> => {
  switch (delivery.kind) {
    case 'exec': {
      const code = await runCommand(delivery.command, { ...io.env, [TOKEN_VARIABLE]: issued.accessToken })
      return reportUnrunnable('token', code, delivery.command[0], io)
    }
    case 'file':
      try {
        await writeToken(delivery.path, issued.accessToken)
      } catch (error) {
        if (!(error instanceof Error && 'code' in error)) throw error
        return reportProblem(
          io,
          'token',
          { kind: 'refused', says: `cannot write ${delivery.path}: ${String(error.code)}` },
          isJson,
        )
      }
      if (isJson) io.stdout.write(`${JSON.stringify({ file: delivery.path, ...describe(issued) }, null, 2)}\n`)
      return 0
    case 'print':
      io.stdout.write(
        isJson
          ? `${JSON.stringify({ access_token: issued.accessToken, ...describe(issued) }, null, 2)}\n`
          : `${issued.accessToken}\n`,
      )
      return 0
  }
}

const describe = (issued: IssuedToken) => ({
  token_type: issued.tokenType,
  issued_token_type: issued.issuedTokenType,
  expires_in: issued.expiresInSeconds,
  scope: issued.scope,
  ...(issued.decisionId === '' ? {} : { decision_id: issued.decisionId }),
})
