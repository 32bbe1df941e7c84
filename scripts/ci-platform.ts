// A local issuer that plays the CI platforms: a real HTTP server on loopback with discovery, key set and GitHub's request
// protocol, signing the recorded samples of events/assertions with fresh times. For npm start, the demo and tests.
import { createSign, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Claims = Record<string, unknown>

export type CiPlatform = {
  readonly url: string
  readonly jwksUrl: string
  /** A fresh assertion of a recorded sample: `iat`, `nbf`, `exp` and `jti` are of now; overrides win. */
  readonly issue: (sample: string, overrides?: Claims, header?: Claims) => Promise<string>
  /** Adds a new signing key; the old one stays in the set. */
  readonly rotate: () => void
  /** What a GitHub job finds in its environment to ask for an assertion of `sample`. */
  readonly githubEnvironment: (overrides?: Claims) => Record<string, string>
  readonly stop: () => Promise<void>
}

type Key = { readonly kid: string; readonly privateKey: KeyObject; readonly jwk: Claims }

const newKey = (): Key => {
  const kid = randomUUID()
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' } }
}

const LIFETIME_SECONDS = 300
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const sign = (key: Key, claims: Claims, header: Claims): string => {
  const input = `${encode({ typ: 'JWT', alg: 'RS256', kid: key.kid, ...header })}.${encode(claims)}`
  return `${input}.${createSign('sha256').update(input).sign(key.privateKey).toString('base64url')}`
}

export const startCiPlatform = async (options: { readonly port?: number } = {}): Promise<CiPlatform> => {
  const keys: Key[] = [newKey(), newKey()]
  const requestToken = randomUUID()
  let githubOverrides: Claims = {}
  const issue: CiPlatform['issue'] = async (sample, overrides = {}, header = {}) => {
    const { claims } = JSON.parse(
      readFileSync(new URL(`../events/assertions/${sample}.json`, import.meta.url), 'utf8'),
    ) as { claims: Claims }
    const now = Math.floor(Date.now() / 1000)
    const fresh = {
      iat: now,
      exp: now + LIFETIME_SECONDS,
      ...('nbf' in claims ? { nbf: now } : {}),
      ...('jti' in claims ? { jti: randomUUID() } : {}),
    }
    return sign(keys.at(-1) as Key, { ...claims, ...fresh, ...overrides }, header)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.writeHead(500).end())
  })
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', base())
    const json = (body: unknown) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (url.pathname === '/.well-known/openid-configuration')
      json({ issuer: base(), jwks_uri: `${base()}/.well-known/jwks` })
    else if (url.pathname === '/.well-known/jwks') json({ keys: keys.map((key) => key.jwk) })
    else if (url.pathname === '/github/token') {
      if (request.headers.authorization?.toLowerCase() !== `bearer ${requestToken}`) response.writeHead(401).end()
      else
        json({
          value: await issue('github', {
            ...githubOverrides,
            aud: url.searchParams.get('audience') ?? 'https://github.com/acme',
          }),
        })
    } else response.writeHead(404).end()
  }
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const base = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: base(),
    jwksUrl: `${base()}/.well-known/jwks`,
    issue,
    rotate: () => void keys.push(newKey()),
    githubEnvironment(overrides = {}) {
      githubOverrides = overrides
      return {
        GITHUB_ACTIONS: 'true',
        ACTIONS_ID_TOKEN_REQUEST_URL: `${base()}/github/token?api-version=2.0`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
      }
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
