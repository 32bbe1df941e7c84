// The examples for relying parties, run: who may come in does, who may not is told what RFC 6750 says, and behind a stale view nobody is.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { guarded, honoGuard } from '../../examples/verify/fetch.ts'
import { createAuthorizer } from '../../examples/verify/lambda-authorizer.ts'
import { expressGuard, fastifyGuard } from '../../examples/verify/node.ts'
import { createGuard } from '../../lib/verify/guard.ts'
import { createVerifier, type VerifiedToken } from '../../lib/verify/verifier.ts'
import {
  AUDIENCE,
  accessToken,
  feedPage,
  ISSUER,
  newHandle,
  SIGNAL_KEY,
  START_SECONDS,
  TOKEN_KEY,
} from '../support/feed-pages.ts'
import { handClock } from '../support/own-keys.ts'

const REVOKED = newHandle()
const SUBJECT = 'spiffe://acme.example/ci/1/production'
const guardOf = (
  scope: readonly string[] = ['deploy:read'],
  page: string | null = feedPage({ seq: 1, block: REVOKED }),
) =>
  createGuard(
    createVerifier({
      issuer: ISSUER,
      audience: AUDIENCE,
      keys: { keys: [TOKEN_KEY.jwk] },
      signalKeys: { keys: [SIGNAL_KEY.jwk] },
      fetch: async () => new Response(page, { status: page === null ? 503 : 200 }),
      clock: handClock(START_SECONDS),
    }),
    scope,
  )

type Asked = { readonly status: number; readonly challenge: string | null; readonly subject: string | null }
type Ask = (guard: ReturnType<typeof guardOf>, authorization: string | undefined) => Promise<Asked>

const headersOf = (authorization: string | undefined): Record<string, string> =>
  authorization === undefined ? {} : { authorization }
const askedOf = async (response: Response): Promise<Asked> => ({
  status: response.status,
  challenge: response.headers.get('www-authenticate'),
  subject: (await response.text()) || null,
})

const FRAMEWORKS: Readonly<Record<string, Ask>> = {
  async fetch(guard, authorization) {
    const handle = guarded(guard, (_, token) => new Response(token.subject))
    return askedOf(await handle(new Request('https://x.example', { headers: headersOf(authorization) })))
  },
  async hono(guard, authorization) {
    let token: VerifiedToken | null = null
    const raw = new Request('https://x.example', { headers: headersOf(authorization) })
    const c = { req: { raw }, set: (_: 'token', value: VerifiedToken) => (token = value) }
    let answer = new Response()
    const refused = await honoGuard(guard)(c, async () => {
      answer = new Response((token as VerifiedToken | null)?.subject ?? '')
    })
    return askedOf(refused ?? answer)
  },
  async express(guard, authorization) {
    const server = createServer((request: Parameters<ReturnType<typeof expressGuard>>[0], response) =>
      expressGuard(guard)(request, response, () => response.end(request.token?.subject)),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const asked = await askedOf(await fetch(`http://127.0.0.1:${port}`, { headers: headersOf(authorization) }))
    server.close()
    return asked
  },
  async fastify(guard, authorization) {
    const sent = { status: 200, headers: {} as Readonly<Record<string, string>> }
    const reply = {
      code(status: number) {
        sent.status = status
        return reply
      },
      headers(headers: Readonly<Record<string, string>>) {
        sent.headers = headers
        return reply
      },
      send: () => undefined,
    }
    const request: { headers: Record<string, string>; token?: VerifiedToken } = { headers: headersOf(authorization) }
    await fastifyGuard(guard)(request, reply)
    return {
      status: sent.status,
      challenge: sent.headers['www-authenticate'] ?? null,
      subject: request.token?.subject ?? null,
    }
  },
}

describe.each(Object.entries(FRAMEWORKS))('%s', (_, ask) => {
  test.each([
    ['a live token comes in', `Bearer ${accessToken()}`, { status: 200, challenge: null, subject: SUBJECT }],
    ['no credentials', undefined, { status: 401, challenge: 'Bearer', subject: null }],
    ['another scheme', 'Basic eDp5', { status: 401, challenge: 'Bearer error="invalid_token"', subject: null }],
    [
      'a revoked token',
      `Bearer ${accessToken({ rh: [REVOKED] })}`,
      { status: 401, challenge: 'Bearer error="invalid_token"', subject: null },
    ],
    [
      'a token of less scope',
      `bearer ${accessToken({ scope: 'other' })}`,
      { status: 403, challenge: 'Bearer error="insufficient_scope", scope="deploy:read"', subject: null },
    ],
  ])('%s', async (_name, authorization, wanted) => {
    expect(await ask(guardOf(), authorization)).toEqual(wanted)
  })

  test('without a view of revocations nobody comes in, and it is not the caller’s fault', async () => {
    expect(await ask(guardOf([], null), `Bearer ${accessToken()}`)).toMatchObject({ status: 503, subject: null })
  })
})

test('Lambda authorizer: allowed with who calls, or not', async () => {
  const authorize = createAuthorizer(guardOf())
  const ask = (token: string) => authorize({ headers: { authorization: `Bearer ${token}` } })
  expect(await ask(accessToken())).toMatchObject({
    isAuthorized: true,
    context: { subject: SUBJECT, scope: 'deploy:read' },
  })
  expect(await ask(accessToken({ rh: [REVOKED] }))).toEqual({ isAuthorized: false })
  expect(await authorize({})).toEqual({ isAuthorized: false })
})
