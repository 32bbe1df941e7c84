// application/x-www-form-urlencoded, strictly: malformed escapes and bytes that are not UTF-8 are refused instead of being
// replaced, and every name keeps all its values so that repeats can be refused (RFC 6749 §3.2).
import { LIMITS } from '../domain/limits.ts'
import { refuse } from '../domain/refusal.ts'
import { ok, type Result } from '../domain/result.ts'

export type Form = ReadonlyMap<string, readonly string[]>

/** Refuses: request_malformed. Empty values are absent (RFC 6749 §3.1), but a repeat of an empty one is still a repeat. */
export const parseForm = (body: string): Result<Form> => {
  const form = new Map<string, string[]>()
  if (body === '') return ok(form)
  // Only what a browser or curl would leave unescaped; raw controls and non-ASCII bytes mean the sender did not encode.
  if (!PLAIN.test(body)) return refuse('request_malformed', { problem: 'bad encoding' })
  const pairs = body.split('&', LIMITS.parameterCountMax + 1)
  if (pairs.length > LIMITS.parameterCountMax) return refuse('request_malformed', { problem: 'too many parameters' })
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = decode(equals < 0 ? pair : pair.slice(0, equals))
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1))
    if (name === null || value === null || name === '') return refuse('request_malformed', { problem: 'bad encoding' })
    const values = form.get(name)
    if (values) values.push(value)
    else form.set(name, [value])
  }
  return ok(form)
}

const PLAIN = /^[\x21-\x7e]*$/

const decode = (text: string): string | null => {
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    const value = decodeURIComponent(text.replaceAll('+', ' '))
    return value.includes('\0') ? null : value
  } catch {
    return null
  }
}
