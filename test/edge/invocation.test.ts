// mint and trust invoked over lambda:InvokeFunction: a server that speaks the API's REST shape stands in for the service, the
// entries behind it are the functions' own.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createInvoked as createInvokedMint } from '../../functions/mint/handler.ts'
import { createInvoked as createInvokedTrust, createHandler as createTrust } from '../../functions/trust/handler.ts'
import { createLambdaMint } from '../../lib/adapters/aws/lambda-mint.ts'
import { createLambdaTrust } from '../../lib/adapters/aws/lambda-trust.ts'
import { createMemoryIssuerKeyStore } from '../../lib/adapters/memory/issuer-key-store.ts'
import { type FetchedKeySource, keySourceId } from '../../lib/domain/key-source.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import type { InvocationContext } from '../../lib/edge/invocation.ts'
import type { Mint } from '../../lib/ports/mint.ts'
import { type MemoryMint, memoryMint } from '../security/memory-mint.ts'
import { issuerKey } from '../support/evidence.ts'
import { ownKeys } from '../support/own-keys.ts'

type Reply = { readonly status?: number; readonly headers?: Record<string, string>; readonly body: unknown }

/** One function behind the Invoke API. `answer` sees the payload; null leaves the caller waiting. */
const lambdaServer = async (answer: (payload: unknown) => Promise<Reply | null>) => {
  const invocations: { readonly path: string; readonly payload: unknown }[] = []
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const payload: unknown = JSON.parse(Buffer.concat(chunks).toString())
      invocations.push({ path: request.url ?? '', payload })
      const reply = await answer(payload)
      if (reply === null) return
      response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers })
      response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    invocations,
    endpoint,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const by = (alias: string): InvocationContext => ({
  invokedFunctionArn: `arn:aws:lambda:eu-west-1:111122223333:function:mintmark-prod-x:${alias}`,
})

/** As Lambda does with what a handler returns or throws. */
const running =
  (handler: (payload: unknown, context: InvocationContext) => Promise<unknown>) =>
  async (payload: unknown): Promise<Reply> => {
    try {
      return { body: await handler(payload, by('issue')) }
    } catch (error) {
      const { name, message } = error as Error
      return { headers: { 'x-amz-function-error': 'Unhandled' }, body: { errorType: name, errorMessage: message } }
    }
  }

const log = { error: () => undefined }
const invokedMint = (ports: MemoryMint['ports']) =>
  createInvokedMint(
    {
      open: async () => ports,
      activation: { ...ownKeys(), clock: ports.clock, use: 'token' },
      settle: async () => undefined,
    },
    log,
  )
const key = issuerKey('RS256')
let broker: MemoryMint
let reply: (payload: unknown) => Promise<Reply | null>
let server: Awaited<ReturnType<typeof lambdaServer>>
let client: LambdaClient
let mint: Mint
beforeEach(async () => {
  broker = await memoryMint(key)
  reply = running(invokedMint(broker.ports))
  server = await lambdaServer((payload) => reply(payload))
  client = clientOf(1)
  mint = createLambdaMint({ client, functionName: 'mintmark-prod-mint' })
})
afterEach(async () => {
  client.destroy()
  await server.close()
})
const clientOf = (maxAttempts: number) =>
  new LambdaClient({
    endpoint: server.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts,
  })

describe('mint', () => {
  test('an exchange over the wire is the exchange: same credential, and a record behind it', async () => {
    const answer = await mint.mint(broker.request(broker.assertion()))
    expect(answer).toMatchObject({
      ok: true,
      credential: { tokenType: 'Bearer', expiresInSeconds: 600, scope: 'deploy:read deploy:write' },
    })
    expect(await broker.grants.records()).toHaveLength(1)
    expect(server.invocations[0]!.path).toBe('/2015-03-31/functions/mintmark-prod-mint/invocations')
  })

  test('a refusal comes back with the context a denial record needs', async () => {
    const used = broker.assertion()
    await mint.mint(broker.request(used))
    const direct = await broker.mint(broker.request(used))
    const invoked = await mint.mint(broker.request(used))
    expect(invoked).toMatchObject({ ok: false, refusal: { kind: 'replayed' }, context: { verified: true } })
    expect({ ...invoked, context: null }).toEqual({ ...direct, context: null })
  })

  test('what attest verified does not travel: mint is sent the evidence and judges it itself', async () => {
    await mint.mint(broker.request(broker.assertion(), { attested: { facts: 'made up' } }))
    expect(server.invocations[0]!.payload).not.toHaveProperty('attested')
  })

  test.each([
    ['a verification of its own', (payload: object) => ({ ...payload, attested: {} })],
    ['a member too few', ({ tenant: _, ...rest }: Record<string, unknown>) => rest],
    ['another tenant form', (payload: object) => ({ ...payload, tenant: '../acme' })],
    ['a decision id that is none', (payload: object) => ({ ...payload, decisionId: 'x' })],
    ['a list', () => []],
    ['nothing', () => null],
  ])('a payload with %s is refused whole, and nothing is written', async (_, change) => {
    await mint.mint(broker.request(broker.assertion()))
    const { payload } = server.invocations[0]!
    const entry = invokedMint(broker.ports)
    await expect(entry(change(payload as never), by('issue'))).rejects.toThrow('payload_invalid')
    expect(await broker.grants.records()).toHaveLength(1)
  })

  test.each([
    ['the alias of another kind', by('activate')],
    ['an alias of none', by('constructor')],
    ['no alias', { invokedFunctionArn: 'arn:aws:lambda:eu-west-1:111122223333:function:mintmark-prod-mint' }],
  ])('a request to issue that came by %s is refused, and nothing is written', async (_, context) => {
    await mint.mint(broker.request(broker.assertion()))
    const { payload } = server.invocations[0]!
    await expect(invokedMint(broker.ports)(payload, context)).rejects.toThrow('payload_invalid')
    expect(await broker.grants.records()).toHaveLength(1)
  })

  test('an outage inside mint keeps its kind and its time on the way back', async () => {
    const down = { ...broker.ports, clockGuard: { isTrusted: () => false } }
    reply = running(invokedMint(down))
    await expect(mint.mint(broker.request(broker.assertion()))).rejects.toMatchObject({
      kind: 'clock_untrusted',
      retryAfterSeconds: 30,
    })
  })

  test.each<[string, Reply | null, string]>([
    [
      'a crash',
      { headers: { 'x-amz-function-error': 'Unhandled' }, body: { errorMessage: 'secret' } },
      'mint_unavailable',
    ],
    ['an answer that is none', { body: { ok: true } }, 'mint_unavailable'],
    ['an answer with more in it', { body: { ok: true, credential: {}, extra: 1 } }, 'mint_unavailable'],
    [
      'a refusal of a kind that is none',
      { body: { ok: false, refusal: { kind: 'nice_try' }, context: {} } },
      'mint_unavailable',
    ],
    ['no JSON', { body: 'null}' }, 'mint_unavailable'],
    [
      'a throttle',
      { status: 429, headers: { 'x-amzn-errortype': 'TooManyRequestsException' }, body: {} },
      'overloaded',
    ],
    ['a service that is down', { status: 500, body: {} }, 'mint_unavailable'],
    [
      'no right to invoke',
      { status: 403, headers: { 'x-amzn-errortype': 'AccessDeniedException' }, body: {} },
      'mint_unavailable',
    ],
    ['no answer at all', null, 'mint_unavailable'],
  ])('%s is an outage, asked for once and saying nothing else', async (_, answer, kind) => {
    reply = async () => answer
    const error = await mint.mint(broker.request(broker.assertion())).catch((thrown: Error) => thrown)
    expect(error).toBeInstanceOf(Unavailable)
    expect(error).toMatchObject({ kind, message: kind })
    expect(server.invocations).toHaveLength(1)
  })

  test('a client that retries by itself is refused: a lost answer would come back as a replay', async () => {
    const retrying = clientOf(2)
    const careless = createLambdaMint({ client: retrying, functionName: 'mintmark-prod-mint' })
    await expect(careless.mint(broker.request(broker.assertion()))).rejects.toThrow('must not retry')
    expect(server.invocations).toEqual([])
    retrying.destroy()
  })
})

describe('trust', () => {
  const source: FetchedKeySource = {
    kind: 'url',
    url: 'https://ci.acme.example/keys',
    issuer: 'https://ci.acme.example',
  }
  const other: FetchedKeySource = { ...source, url: 'https://ci.acme.example/other' }
  const jwks = { keys: [issuerKey('ES256').jwk] }

  const trustOver = (registered: FetchedKeySource) => {
    const fetched: string[] = []
    const ports = {
      store: createMemoryIssuerKeyStore(),
      clock: broker.clock,
      isOwnUrl: () => false,
      tenants: {
        current: async (tenant: string) => {
          const config = await broker.tenants.current(tenant)
          return config && { ...config, issuers: [{ ...config.issuers[0]!, name: 'in-house', keys: registered }] }
        },
      },
      http: {
        get: async (url: string) => {
          fetched.push(url)
          return { ok: true as const, response: { status: 200, body: new TextEncoder().encode(JSON.stringify(jwks)) } }
        },
      },
    }
    const unscheduled = { configs: { list: async () => [] }, keys: { refreshDue: async () => 0 } }
    reply = running(createInvokedTrust({ ...unscheduled, ...ports, trust: createTrust(ports) }, log))
    const owners = new Map([[keySourceId(source), { tenant: 'acme', issuer: 'in-house' }]])
    const trust = createLambdaTrust({ client, functionName: 'mintmark-prod-trust' }, (id) => owners.get(id) ?? null)
    return { trust, fetched }
  }

  test('the request names tenant and issuer and no URL; what is fetched is where the document says', async () => {
    const { trust, fetched } = trustOver(source)
    const outcome = await trust.refresh(source, 'cold')
    expect(outcome).toMatchObject({ fetched: true, set: { sourceId: keySourceId(source) } })
    expect(server.invocations[0]!.payload).toEqual({ tenant: 'acme', issuer: 'in-house', why: 'cold' })
    expect(fetched).toEqual(['https://ci.acme.example/keys'])
  })

  test('a source of no configuration this process has read is not asked for', async () => {
    const { trust } = trustOver(source)
    await expect(trust.refresh(other, 'cold')).rejects.toMatchObject({ kind: 'issuer_keys_unavailable' })
    expect(server.invocations).toEqual([])
  })

  test('keys of another place than was asked for are not taken, when the two read different configurations', async () => {
    const { trust } = trustOver(other)
    await expect(trust.refresh(source, 'cold')).rejects.toMatchObject({ kind: 'changed_underway' })
  })

  test.each([
    ['a URL', { tenant: 'acme', issuer: 'in-house', why: 'cold', url: 'http://169.254.169.254/' }],
    ['a source', { source: { kind: 'url', url: 'http://169.254.169.254/' }, why: 'cold' }],
    ['a reason that is none', { tenant: 'acme', issuer: 'in-house', why: 'please' }],
  ])('a payload with %s is refused, and nothing is fetched', async (_, payload) => {
    const { fetched } = trustOver(source)
    expect(await reply(payload)).toMatchObject({ body: { errorMessage: 'payload_invalid' } })
    expect(fetched).toEqual([])
  })

  test.each([
    ['a tenant that is not there', { tenant: 'nobody', issuer: 'in-house', why: 'cold' }],
    ['an issuer that is not there', { tenant: 'acme', issuer: 'github', why: 'cold' }],
  ])('%s is an outage of the caller’s view, not a fetch', async (_, payload) => {
    const { fetched } = trustOver(source)
    expect(await reply(payload)).toEqual({ body: { unavailable: 'changed_underway', retryAfterSeconds: 2 } })
    expect(fetched).toEqual([])
  })
})
