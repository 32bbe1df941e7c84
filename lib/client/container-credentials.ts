// The container-credentials endpoint of the AWS SDKs (AWS SDKs and tools reference guide, "Container credential provider"), on
// loopback, for one command and as long as it runs. Who has not the token of its file gets nothing, and nothing is ever on disk
// but that token.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AwsCredentials } from './aws-credentials.ts'
import { EXIT_CODES, type Outcome } from './outcome.ts'

export type CredentialsEndpoint = {
  /** What the command finds in its environment. */
  readonly env: Readonly<Record<string, string>>
  readonly close: () => Promise<void>
}

/** A session is handed out until so long before its end; then another one is opened. */
const RENEW_BEFORE_MS = 5 * 60_000

/** `first` is handed out until it is old; then `open` is asked, once for all who wait. */
export const serveContainerCredentials = async (
  first: AwsCredentials,
  open: () => Promise<Outcome<AwsCredentials>>,
  nowMs: () => number,
): Promise<CredentialsEndpoint> => {
  let current = first
  let opening: Promise<Outcome<AwsCredentials>> | null = null
  const credentials = async (): Promise<Outcome<AwsCredentials>> => {
    if (Date.parse(current.Expiration) - nowMs() > RENEW_BEFORE_MS) return { ok: true, value: current }
    opening ??= open().finally(() => {
      opening = null
    })
    const opened = await opening
    if (opened.ok) current = opened.value
    return opened
  }

  const token = randomBytes(32).toString('base64url')
  const directory = await mkdtemp(join(tmpdir(), 'mintmark-'))
  const file = join(directory, 'token')
  await writeFile(file, token, { mode: 0o600, flag: 'wx' })
  const server = createServer((request, response) => {
    if (!isSame(request.headers.authorization ?? '', token)) answer(response, 401, REFUSED)
    else if (request.method !== 'GET' || request.url !== '/') answer(response, 404, UNKNOWN)
    else
      credentials().then(
        (opened) => (opened.ok ? answer(response, 200, containerDocument(opened.value)) : failed(response, opened)),
        () => answer(response, 500, FAILED),
      )
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : null
  return {
    env: {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file,
    },
    close: async () => {
      server.close()
      server.closeAllConnections()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Here the session token is called `Token`, and there is no version. */
const containerDocument = ({ AccessKeyId, SecretAccessKey, SessionToken, Expiration, AccountId }: AwsCredentials) => ({
  AccessKeyId,
  SecretAccessKey,
  Token: SessionToken,
  Expiration,
  AccountId,
})

const REFUSED = { Code: 'AccessDenied', Message: 'The authorization token is missing or wrong' }
const UNKNOWN = { Code: 'NotFound', Message: 'Only GET / is served here' }
const FAILED = { Code: 'InternalError', Message: 'No session could be opened' }

/** SDKs try a 5xx again and not a 4xx. */
const failed = (response: ServerResponse, { problem }: Extract<Outcome<never>, { ok: false }>): void =>
  answer(response, problem.kind === 'unavailable' ? 503 : 400, {
    Code: `mintmark exit ${EXIT_CODES[problem.kind]}`,
    Message: problem.says,
  })

const answer = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}

const isSame = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected))
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
