// Rows 56-60 of the attack catalogue: the reader and trust together over an issuer that counts its fetches.
import { expect, test } from 'vitest'
import { createMemoryIssuerKeyStore } from '../../../lib/adapters/memory/issuer-key-store.ts'
import { keySourceId } from '../../../lib/domain/key-source.ts'
import { createIssuerKeys } from '../../../lib/flows/issuers/issuer-keys.ts'
import { createTrust } from '../../../lib/flows/issuers/refresh-issuer-keys.ts'
import type { OutboundHttp } from '../../../lib/ports/outbound-http.ts'
import { issuerKey } from '../../support/evidence.ts'

const URL_ = 'https://issuer.example/keys'
const first = issuerKey('ES256', 'first')
const second = issuerKey('ES256', 'second')

const world = () => {
  const state = { keys: [first.jwk] as unknown[], up: true, fetches: 0, ms: 1_800_000_000_000 }
  const clock = {
    nowMs: () => state.ms,
    nowSeconds: () => Math.floor(state.ms / 1_000),
    monotonicMs: () => state.ms - 1_700_000_000_000,
  }
  const http: Pick<OutboundHttp, 'get'> = {
    async get() {
      state.fetches += 1
      await new Promise((resolve) => setTimeout(resolve, 2))
      if (!state.up) return { ok: false, failure: { reason: 'connect_failed', status: null, bytes: 0 } }
      return {
        ok: true,
        response: { status: 200, body: new TextEncoder().encode(JSON.stringify({ keys: state.keys })) },
      }
    },
  }
  const store = createMemoryIssuerKeyStore()
  const trust = createTrust({ http, store, clock, isOwnUrl: () => false })
  const keys = createIssuerKeys({ store, trust, clock, importKey: (jwk) => jwk, jitter: () => 0.5 })
  const source = { kind: 'url', url: URL_, issuer: 'https://issuer.example' } as const
  return { state, keys, source, find: (kid: string) => keys.find(source, kid, 'ES256') }
}

test('row 56: no delimiter in a part makes two sources one', () => {
  const id = (tenant: string, issuerName: string) => keySourceId({ kind: 'inline', keys: [], tenant, issuerName })
  expect(id('a:b', 'c')).not.toBe(id('a', 'b:c'))
  expect(id('a","b', 'c')).not.toBe(id('a', 'b","c'))
})

test('row 57: ten thousand unknown kids are one fetch a minute; a rotated key is found with it', async () => {
  const { state, find } = world()
  await find('first')
  const answers = await Promise.all(Array.from({ length: 10_000 }, (_, i) => find(`made-up-${i}`)))
  expect(answers.every((a) => !a.ok && a.refusal.kind === 'key_unknown')).toBe(true)
  expect(state.fetches).toBe(2)
  state.keys = [second.jwk]
  expect((await find('second')).ok).toBe(false)
  state.ms += 61_000
  expect((await find('second')).ok).toBe(true)
  expect(state.fetches).toBe(3)
})

test('row 58: a dead issuer is served stale for an hour, then not at all, and is not asked once a request', async () => {
  const { state, keys, source, find } = world()
  await find('first')
  state.up = false
  state.ms += 3_599_000
  expect((await find('first')).ok).toBe(true)
  state.ms += 2_000
  expect(keys.peek(source, 'first', 'ES256')).toBeUndefined()
  for (let i = 0; i < 50; i += 1) await expect(find('first')).rejects.toMatchObject({ kind: 'issuer_keys_unavailable' })
  expect(state.fetches).toBe(2)
  state.up = true
  state.ms += 20_000
  expect((await find('first')).ok).toBe(true)
})

test('row 59: an emptied set keeps the last good one; a removed key is denied after the next refresh', async () => {
  const { state, keys, source, find } = world()
  await find('first')
  const generation = keys.generation(source)
  state.keys = []
  state.ms += 600_000
  expect(await keys.refreshDue()).toBe(0)
  expect((await find('first')).ok).toBe(true)
  expect(keys.generation(source)).toBe(generation)
  state.keys = [second.jwk]
  state.ms += 20_000
  expect(await keys.refreshDue()).toBe(1)
  expect(keys.peek(source, 'first', 'ES256')).toBeUndefined()
  expect(keys.generation(source)).not.toBe(generation)
})

test('row 60: a thousand at once on a cold cache are one fetch', async () => {
  const { state, find } = world()
  const answers = await Promise.all(Array.from({ length: 1_000 }, () => find('first')))
  expect(answers.every((a) => a.ok)).toBe(true)
  expect(state.fetches).toBe(1)
})
