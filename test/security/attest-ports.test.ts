// What a taken-over attest has in its hands (design §2, P9): no signing key, no grant store, no issuer key store, no outbound
// network - neither among its ports, nor in the object the embedded broker wires, nor in the code that is linked into it.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { type ExchangePorts, exchangeToken } from '../../lib/flows/exchange-token.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { issuerKey } from '../support/evidence.ts'
import { type MemoryMint, memoryMint } from './memory-mint.ts'

const key = issuerKey('RS256')
let broker: MemoryMint

beforeEach(async () => {
  broker = await memoryMint(key)
})

const FORBIDDEN =
  /^(?:lib\/adapters\/|lib\/flows\/(?:mint-|sign-|prepare-|repeat-|keys\/|tenants\/|revocation\/|audit\/|issuers\/refresh-))/

const valueImports = (source: string): string[] =>
  [...source.matchAll(/^(?:import|export)\s(?!type\s)[^'"]*?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]/gm)].map(
    (match) => (match[1] ?? match[2])!,
  )

describe('what attest holds', () => {
  /** A port more is a compile error here first: whoever adds one says that attest may have it. */
  const HELD: { readonly [port in keyof ExchangePorts]-?: readonly string[] } = {
    issuerKeys: ['find', 'generation', 'peek', 'refreshDue', 'rereadAll'],
    signatures: ['verify'],
    digest: ['sha256'],
    decodeBase64url: [],
    providers: Object.keys(PROVIDER_CATALOG).sort(),
    issuedFloor: [],
    tenants: ['current', 'peek', 'wasFound'],
    mint: ['mint'],
    denials: ['send'],
    rates: ['take'],
    ids: ['decisionId', 'traceId'],
    clock: ['monotonicMs', 'nowMs', 'nowSeconds'],
    turns: ['enter', 'leave'],
    meter: ['issued'],
  }

  test('its flow touches these ports and no other, for an allow and for a denial', async () => {
    const touched = new Map<string, Set<string>>()
    const watched = Object.fromEntries(
      Object.entries(broker.attestPorts).map(([name, port]) => [
        name,
        new Proxy(port as object, {
          get(target, member) {
            touched.set(name, (touched.get(name) ?? new Set()).add(String(member)))
            return Reflect.get(target, member)
          },
        }),
      ]),
    ) as unknown as ExchangePorts
    const seen: string[] = []
    const ports = new Proxy(watched, {
      get(target, name) {
        seen.push(String(name))
        return Reflect.get(target, name)
      },
    })
    const ask = (evidence: string) => {
      const { tenant, grantType, target, idempotencyKey, dpop, traceId } = broker.request(evidence)
      const token = { ok: true as const, value: { grantType, evidence, target, idempotencyKey } }
      return exchangeToken(ports, { tenant, token, dpop, traceId, source: '192.0.2.1' })
    }
    expect([(await ask(broker.assertion())).kind, (await ask('x')).kind]).toEqual(['issued', 'refused'])
    expect(seen.filter((name) => !Object.hasOwn(HELD, name))).toEqual([])
    for (const [name, members] of touched)
      expect([...members].filter((member) => !HELD[name as keyof ExchangePorts].includes(member))).toEqual([])
  })

  test('an invented tenant takes no turn from a true one, and leaves no record', async () => {
    const seen: string[] = []
    const ports = new Proxy(broker.attestPorts, {
      get(target, name) {
        seen.push(String(name))
        return Reflect.get(target, name)
      },
    })
    const { grantType, target, idempotencyKey, dpop, traceId } = broker.request('x')
    const token = { ok: true as const, value: { grantType, evidence: 'x', target, idempotencyKey } }
    const asked = { tenant: 'invented', token, dpop, traceId, source: '192.0.2.1' }
    expect(await exchangeToken(ports, asked)).toEqual({ kind: 'unknown_tenant' })
    expect(new Set(seen)).toEqual(new Set(['ids', 'tenants']))
  })

  test('while tenants cannot be looked up an invented one leaves no record of its own, and a known one does', async () => {
    const denied: string[] = []
    const current = async () => {
      throw new Unavailable('store_unavailable')
    }
    const ports = {
      ...broker.attestPorts,
      tenants: { ...broker.attestPorts.tenants, peek: () => undefined, current },
      denials: { send: ({ tenant }: { readonly tenant: string }) => denied.push(tenant) },
    }
    const { grantType, target, idempotencyKey, dpop, traceId } = broker.request('x')
    const token = { ok: true as const, value: { grantType, evidence: 'x', target, idempotencyKey } }
    for (const tenant of ['invented', 'acme'])
      expect(await exchangeToken(ports, { tenant, token, dpop, traceId, source: '192.0.2.1' })).toMatchObject({
        kind: 'refused',
        refusal: { kind: 'store_unavailable' },
      })
    expect(denied).toEqual(['', 'acme'])
  })

  test('the embedded broker hands it exactly these, and of mint nothing but mint()', () => {
    // The wiring is a closure of the host; its text is the one place where a store could be slipped in.
    const source = readFileSync('bin/embedded/exchange.ts', 'utf8')
    const wired = /createAttest\(\{\s*ports: \{ ([^\n]*) \},\n/.exec(source)?.[1] ?? ''
    expect(wired).toContain('...evidenceOf(options),')
    expect(wired).toContain(' mint: { mint: wireMint(options) },')
    const own = [...wired.replace(/\{[^}]*\}|\([^)]*\)/g, '').matchAll(/(?:^|, )(\w+)/g)].map((match) => match[1])
    const evidence = /const evidenceOf = [^\n]* => \(\{([^}]*)\}\)/.exec(source)?.[1] ?? ''
    const shared = [...evidence.matchAll(/(?:^|,)\s*(\w+)/g)].map((match) => match[1])
    expect([...shared, ...own].sort()).toEqual(Object.keys(HELD).sort())
  })

  test('the issuer keys it is given can be looked up and refreshed, never written', () => {
    expect(Object.keys(broker.attestPorts.issuerKeys).sort()).toEqual(HELD.issuerKeys)
  })

  test('no code that signs, records, stores or fetches is linked into it', () => {
    const linked = new Set<string>()
    const visit = (path: string): void => {
      if (linked.has(path)) return
      linked.add(path)
      for (const specifier of valueImports(readFileSync(path, 'utf8')))
        if (specifier.startsWith('.')) visit(join(dirname(path), specifier))
        else
          expect(specifier, path).not.toMatch(
            /^(?:jose|@aws-sdk\/|node:(?:crypto|fs|net|tls|https?|sqlite|child_process))/,
          )
    }
    visit('functions/attest/handler.ts')
    // Without these two the walk saw nothing, and an empty list would pass.
    expect([...linked]).toContain('lib/flows/exchange-token.ts')
    expect([...linked]).toContain('lib/flows/attest-evidence.ts')
    expect([...linked].filter((path) => FORBIDDEN.test(path))).toEqual([])
  })
})
