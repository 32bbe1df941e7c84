// A page of the feed as it comes: nothing of it is believed before type, key, signature and issuer are as they must be. Then its
// maker is the tenant's own signal key, and it is read, though still strictly.
import { decodeBase64url } from '../domain/base64url.ts'
import { FEED_TYPE, type FeedPage, HANDLE_CHARS } from '../domain/revocation-feed.ts'
import { decodeUtf8 } from '../domain/utf8.ts'
import type { Deviation } from './deviation.ts'
import type { Handle } from './handle-table.ts'
import { readHandles } from './handles.ts'
import type { KeyCache } from './key-cache.ts'
import { VERIFIED_ALGORITHMS, verifies } from './signature.ts'

export type ReadPage = Pick<FeedPage, 'seq' | 'since' | 'next' | 'iat' | 'exp' | 'before'> & {
  readonly lift: readonly Handle[]
  readonly block: readonly Handle[]
  readonly cut: readonly Handle[]
}

export const readPage = async (jws: string, issuer: string, keys: KeyCache): Promise<ReadPage | Deviation> => {
  const [header, payload, signature, ...more] = jws.split('.')
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) return 'page_invalid'
  const { typ, alg: stated, kid, ...others } = objectOf(header)
  const alg = VERIFIED_ALGORITHMS.find((known) => known === stated)
  if (typ !== FEED_TYPE || alg === undefined || typeof kid !== 'string' || Object.keys(others).length > 0)
    return 'page_invalid'
  const bytes = decodeBase64url(signature)
  const key = bytes === null ? null : await keys.find(kid, alg)
  if (bytes === null || key === null || !(await verifies(key, alg, `${header}.${payload}`, bytes)))
    return 'page_invalid'
  const page = objectOf(payload)
  if (page['iss'] !== issuer) return 'page_of_another_issuer'
  return pageOf(page as Partial<FeedPage>) ?? 'page_invalid'
}

const objectOf = (part: string): Readonly<Record<string, unknown>> => {
  const bytes = decodeBase64url(part)
  const text = bytes === null ? null : decodeUtf8(bytes)
  try {
    const value: unknown = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
  } catch {
    return {}
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const pageOf = ({ seq, since, next, iat, exp, before, ...texts }: Partial<FeedPage>): ReadPage | null => {
  if (!isCount(seq) || !isCount(since) || !isCount(next) || !isCount(iat) || !isCount(exp)) return null
  // Within the order, and never standing still short of its end.
  if (since > next || next > seq || (next === since && next < seq)) return null
  const [lift, block, cut] = [texts.lift, texts.block, texts.cut].map((text) =>
    typeof text === 'string' ? readHandles(text) : null,
  )
  if (!lift || !block || !cut || !Array.isArray(before) || !before.every(isCount)) return null
  return before.length === (texts.cut ?? '').length / HANDLE_CHARS
    ? { seq, since, next, iat, exp, before, lift, block, cut }
    : null
}
