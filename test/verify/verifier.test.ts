// The offline verifier against feeds and tokens as they must not be: nothing of them is accepted, and every deviation is reported.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Deviation } from '../../lib/verify/deviation.ts'
import { seenFile } from '../../lib/verify/seen-file.ts'
import { createVerifier, type VerifierOptions } from '../../lib/verify/verifier.ts'
import { issuerKey } from '../support/evidence.ts'
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

const dir = mkdtempSync(join(tmpdir(), 'mintmark-verify-'))
afterAll(() => rmSync(dir, { recursive: true }))

type Serve = (url: URL) => string | null | Promise<string | null>

const FEED = '/t/acme/revocations'

const setUp = (serve: Serve, more: Partial<VerifierOptions> = {}) => {
  const clock = handClock(START_SECONDS)
  const reported: Deviation[] = []
  const asked: string[] = []
  const verifier = createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    fetch: async (text) => {
      const url = new URL(text)
      asked.push(url.pathname + url.search)
      if (url.pathname.endsWith('/jwks.json')) return Response.json({ keys: [TOKEN_KEY.jwk] })
      if (url.pathname.endsWith('/signal-jwks.json')) return Response.json({ keys: [SIGNAL_KEY.jwk] })
      const body = await serve(url)
      return body === null ? new Response('', { status: 503 }) : new Response(body)
    },
    clock,
    report: (deviation) => reported.push(deviation),
    ...more,
  })
  const verdict = async (token: string, how?: { thumbprint: string }) => {
    const judged = await verifier.verify(token, how)
    return judged.ok ? 'ok' : judged.reason
  }
  return { verifier, verdict, clock, reported, asked }
}

const empty: Serve = () => feedPage()

describe('a token', () => {
  const other = issuerKey('ES256', 'token-1')
  test.each([
    ['as it should be', accessToken(), 'ok'],
    ['of another issuer', accessToken({ iss: 'https://sts.example.com/t/globex' }), 'wrong_issuer'],
    ['for somebody else', accessToken({ aud: 'https://other.example' }), 'wrong_audience'],
    ['for several', accessToken({ aud: [AUDIENCE] }), 'malformed'],
    ['of another key under the same id', accessToken({}, other), 'signature_invalid'],
    ['of a key nobody publishes', accessToken({}, issuerKey('ES256', 'token-9')), 'key_unknown'],
    ['of the signal key', accessToken({}, SIGNAL_KEY), 'key_unknown'],
    ['of another type', accessToken({}, TOKEN_KEY, { typ: 'JWT' }), 'malformed'],
    ['with a key of its own', accessToken({}, TOKEN_KEY, { jwk: TOKEN_KEY.jwk }), 'malformed'],
    ['without handles', accessToken({ rh: undefined }), 'malformed'],
    ['with no handle', accessToken({ rh: [] }), 'malformed'],
    ['with what is no handle', accessToken({ rh: ['x'] }), 'malformed'],
    ['that has expired', accessToken({ exp: START_SECONDS }), 'expired'],
    ['from the future', accessToken({ iat: START_SECONDS + 31 }), 'not_yet_valid'],
    ['bound to a key, without a proof', accessToken({ cnf: { jkt: 'T'.repeat(43) } }), 'proof_mismatch'],
    ['that is none', 'x', 'malformed'],
  ])('%s: %s', async (_, token, wanted) => {
    expect(await setUp(empty).verdict(token)).toBe(wanted)
  })

  test('bound to a DPoP key: only with the proof of that key; not bound: not with any', async () => {
    const { verdict } = setUp(empty)
    const jkt = 'T'.repeat(43)
    expect(await verdict(accessToken({ cnf: { jkt } }), { thumbprint: jkt })).toBe('ok')
    expect(await verdict(accessToken({ cnf: { jkt } }), { thumbprint: 'U'.repeat(43) })).toBe('proof_mismatch')
    expect(await verdict(accessToken(), { thumbprint: jkt })).toBe('proof_mismatch')
  })

  test('that was verified before is denied all the same when it expires', async () => {
    const { verdict, clock } = setUp(() => feedPage({ iat: clock2() }))
    const clock2 = () => clock.nowSeconds()
    const token = accessToken({ exp: START_SECONDS + 20 })
    expect(await verdict(token)).toBe('ok')
    clock.add(20)
    expect(await verdict(token)).toBe('expired')
  })
})

describe('revocation', () => {
  test('of any one of its handles denies a token that was accepted before; lifting it lets it in again', async () => {
    const handle = newHandle()
    let served = feedPage()
    const { verdict, verifier, clock, reported } = setUp(() => served)
    const token = accessToken({ rh: [newHandle(), handle] })
    expect(await verdict(token)).toBe('ok')
    clock.add(1)
    served = feedPage({ seq: 1, block: handle, iat: START_SECONDS + 1 })
    await verifier.refresh()
    expect(await verdict(token)).toBe('revoked')
    served = feedPage({ since: 1, seq: 2, lift: handle, iat: START_SECONDS + 1 })
    await verifier.refresh()
    expect([await verdict(token), reported]).toEqual(['ok', []])
  })

  test('a cut denies what was issued before its bound and spares what was issued at it', async () => {
    const handle = newHandle()
    const bound = START_SECONDS - 5
    const { verdict } = setUp(() => feedPage({ seq: 1, cut: handle, before: [bound] }))
    expect(await verdict(accessToken({ rh: [handle], iat: bound - 1 }))).toBe('revoked')
    expect(await verdict(accessToken({ rh: [handle], iat: bound }))).toBe('ok')
  })

  test('a snapshot of several pages counts when it is whole, and is asked for page by page', async () => {
    const handle = newHandle()
    const pages: Record<string, string> = {
      [FEED]: feedPage({ seq: 20, next: 8, block: newHandle() }),
      [`${FEED}?since=8`]: feedPage({ seq: 21, since: 8, next: 16, block: handle }),
      [`${FEED}?since=16`]: feedPage({ seq: 21, since: 16, next: 21 }),
    }
    const { verdict, verifier, asked } = setUp((url) => pages[url.pathname + url.search] ?? null)
    expect(await verdict(accessToken({ rh: [handle] }))).toBe('revoked')
    expect(asked.filter((path) => path.startsWith(FEED))).toEqual(Object.keys(pages))
    expect(verifier.status()).toMatchObject({ seq: 21, revoked: 2 })
  })

  test('a snapshot of which the last page does not come is no view', async () => {
    const { verdict, reported } = setUp((url) => (url.search === '' ? feedPage({ seq: 20, next: 8 }) : null))
    expect([await verdict(accessToken()), reported]).toEqual(['view_stale', ['feed_unreachable']])
  })
})

describe('a page that is not as it must be is not taken, and is reported', () => {
  const good = feedPage({ seq: 1, block: newHandle() })
  test.each<[string, string | null, Deviation]>([
    ['no answer', null, 'feed_unreachable'],
    ['truncated', good.slice(0, -5), 'page_invalid'],
    ['cut short of a part', good.slice(0, good.lastIndexOf('.')), 'page_invalid'],
    ['altered', good.replace(/\.(.)/, (_, first: string) => `.${first === 'e' ? 'f' : 'e'}`), 'page_invalid'],
    ['an access token', accessToken(), 'page_invalid'],
    ['of another type', feedPage({}, SIGNAL_KEY, 'JWT'), 'page_invalid'],
    ['signed by the key of tokens', feedPage({}, TOKEN_KEY), 'page_invalid'],
    ['signed by another key under the same id', feedPage({}, issuerKey('ES256', 'signal-1')), 'page_invalid'],
    ['of another tenant', feedPage({ iss: 'https://sts.example.com/t/globex' }), 'page_of_another_issuer'],
    ['older than the bound', feedPage({ iat: START_SECONDS - 60 }), 'page_expired'],
    ['whose end has passed', feedPage({ iat: START_SECONDS - 9, exp: START_SECONDS }), 'page_expired'],
    ['from the future', feedPage({ iat: START_SECONDS + 6 }), 'page_early'],
    ['for another cursor', feedPage({ seq: 5, since: 5 }), 'page_out_of_order'],
    ['that goes nowhere', feedPage({ seq: 5, next: 0 }), 'page_invalid'],
    ['beyond its own end', feedPage({ seq: 5, next: 6 }), 'page_invalid'],
    ['with a cut without its time', feedPage({ seq: 1, cut: newHandle() }), 'page_invalid'],
    ['with half a handle', feedPage({ seq: 1, block: 'AAAA' }), 'page_invalid'],
  ])('%s', async (_, page, deviation) => {
    const { verdict, verifier, reported } = setUp(() => page)
    expect(await verdict(accessToken())).toBe('view_stale')
    expect(reported).toEqual([deviation])
    expect(verifier.status()).toMatchObject({ seq: 0, revoked: 0 })
  })

  test.each([
    ['begins before the cursor and goes on behind it', { seq: 5, since: 2 }, []],
    ['begins before the cursor and ends there', { seq: 5, since: 2, next: 4 }, ['page_out_of_order']],
    ['begins anew, and so says nothing of what was lifted', { seq: 5, since: 0 }, ['page_out_of_order']],
    ['leaves out what lies between', { seq: 6, since: 5 }, ['page_out_of_order']],
  ])('behind a view up to 4, one that %s', async (_, changes, deviations) => {
    let served: string | null = feedPage({ seq: 4 })
    const { verifier, reported } = setUp(() => served)
    await verifier.refresh()
    served = feedPage(changes)
    await verifier.refresh()
    expect([reported, verifier.status().seq]).toEqual([deviations, deviations.length === 0 ? 5 : 4])
  })

  test('after a page that is refused, the view before it stays for as long as it is good', async () => {
    let served: string | null = feedPage({ seq: 3 })
    const { verdict, verifier, clock, reported } = setUp(() => served)
    const token = accessToken()
    expect(await verdict(token)).toBe('ok')
    // Rolled back: what was lifted since is not for this view to know.
    served = feedPage({ seq: 2, since: 2, iat: START_SECONDS + 1 })
    clock.add(1)
    await verifier.refresh()
    expect([reported, await verdict(token)]).toEqual([['feed_rolled_back'], 'ok'])
    clock.add(58)
    expect(await verdict(token)).toBe('ok')
    clock.add(1)
    expect(await verdict(token)).toBe('view_stale')
  })

  test('an old page of the same seq, from another cache, makes the view no older and no younger', async () => {
    let served = feedPage({ iat: START_SECONDS })
    const { verifier, reported } = setUp(() => served)
    await verifier.refresh()
    served = feedPage({ iat: START_SECONDS - 30 })
    await verifier.refresh()
    expect([verifier.status().ageSeconds, reported]).toEqual([0, []])
  })
})

describe('the bound', () => {
  test.each([60, 10])(
    'an outage is bridged for exactly %i s, then nobody is let in; the first page after it lets them in',
    async (boundSeconds) => {
      let isUp = true
      const { verdict, clock } = setUp(() => (isUp ? feedPage({ iat: nowSeconds() }) : null), { boundSeconds })
      const nowSeconds = () => clock.nowSeconds()
      const token = accessToken()
      expect(await verdict(token)).toBe('ok')
      isUp = false
      clock.add(boundSeconds - 1)
      expect(await verdict(token)).toBe('ok')
      clock.add(1)
      expect(await verdict(token)).toBe('view_stale')
      isUp = true
      clock.add(2)
      expect(await verdict(token)).toBe('ok')
    },
  )

  test('age counts from the signed time, not from when the page arrived', async () => {
    const { verdict, clock } = setUp(() => feedPage({ iat: START_SECONDS - 50 }))
    expect(await verdict(accessToken())).toBe('ok')
    clock.add(10)
    expect(await verdict(accessToken())).toBe('view_stale')
  })

  test('setting the clock back does not make the view younger, setting it ahead makes it older', async () => {
    let isUp = true
    const back = setUp(() => (isUp ? feedPage() : null))
    expect(await back.verdict(accessToken())).toBe('ok')
    isUp = false
    back.clock.step(-3600)
    back.clock.add(60)
    // Issued after what the clock says now; still the age is what denies.
    expect(back.verifier.status().ageSeconds).toBeGreaterThanOrEqual(60)
    expect(await back.verdict(accessToken({ iat: START_SECONDS - 3600 }))).toBe('view_stale')
    isUp = true
    const ahead = setUp(() => (isUp ? feedPage() : null))
    expect(await ahead.verdict(accessToken())).toBe('ok')
    isUp = false
    ahead.clock.step(600)
    expect(await ahead.verdict(accessToken({ exp: START_SECONDS + 7200 }))).toBe('view_stale')
  })

  test('a bound longer than a page holds is refused at once', () => {
    expect(() => setUp(empty, { boundSeconds: 61 })).toThrow(TypeError)
  })

  test('while the feed cannot be had, requests do not each ask for it', async () => {
    const { verdict, asked } = setUp(() => null)
    for (let count = 0; count < 50; count += 1) expect(await verdict(accessToken())).toBe('view_stale')
    expect(asked.filter((path) => path.startsWith(FEED)).length).toBe(1)
  })
})

describe('a restart', () => {
  const restarts = async (path: string, ...served: readonly string[]) => {
    const outcomes: unknown[] = []
    for (const page of served) {
      const { verdict, reported } = setUp(() => page, { seen: seenFile(path, ISSUER) })
      outcomes.push([await verdict(accessToken()), ...reported])
    }
    return outcomes
  }
  test('does not forget the highest seq: a feed that was rolled back meanwhile is refused', async () => {
    const pages = [feedPage({ seq: 7 }), feedPage({ seq: 6 }), feedPage({ seq: 7 })]
    expect(await restarts(join(dir, 'seen-1'), ...pages)).toEqual([['ok'], ['view_stale', 'feed_rolled_back'], ['ok']])
  })

  test('without a place to keep it nothing is accepted', async () => {
    const { verdict, reported } = setUp(() => feedPage({ seq: 1 }), {
      seen: seenFile(join(dir, 'none', 'seen'), ISSUER),
    })
    expect([await verdict(accessToken()), reported]).toEqual(['view_stale', ['seen_not_kept']])
  })

  test.each(['', '{', '{"issuer":"https://sts.example.com/t/globex","seq":1}', `{"issuer":"${ISSUER}","seq":"1"}`])(
    'with a file that is not of this feed (%s) nothing is accepted',
    async (text) => {
      const path = join(dir, 'seen-2')
      writeFileSync(path, text)
      expect(await restarts(path, feedPage())).toEqual([['view_stale', 'seen_not_kept']])
    },
  )
})
