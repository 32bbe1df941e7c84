import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import { parseForm } from '../../lib/wire/form.ts'

const valuesOf = (body: string) => {
  const form = parseForm(body)
  return form.ok ? Object.fromEntries(form.value) : form.refusal.kind
}

test('keeps every value of a name, in order, so that repeats can be refused', () => {
  expect(valuesOf('a=1&b=2&a=3')).toEqual({ a: ['1', '3'], b: ['2'] })
})

test('decodes escapes and plus as a browser encodes them', () => {
  expect(valuesOf('scope=a+b%3Ac&%C3%A4=%E2%82%AC')).toEqual({ scope: ['a b:c'], ä: ['€'] })
})

test.each([
  ['a malformed escape', 'a=%zz'],
  ['a truncated escape', 'a=%4'],
  ['bytes that are not UTF-8', 'a=%ff%fe'],
  ['an overlong encoding', 'a=%c0%80'],
  ['an escaped surrogate', 'a=%ed%a0%80'],
  ['NUL', 'a=%00'],
  ['a raw non-ASCII byte', 'a=\u00ff'],
  ['a raw line break', 'a=b\r\nc=d'],
  ['a name that is empty', '=x'],
  ['an empty pair', 'a=1&&b=2'],
])('refuses %s instead of repairing it', (_, body) => {
  expect(valuesOf(body)).toBe('request_malformed')
})

test('refuses more parameters than the limit, without reading them', () => {
  expect(valuesOf(Array.from({ length: LIMITS.parameterCountMax + 1 }, (_, i) => `p${i}=1`).join('&'))).toBe(
    'request_malformed',
  )
})

test('reads back whatever URLSearchParams writes', () => {
  const text = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
    .filter((s) => !s.includes('\0') && s.isWellFormed())
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 10 }), (pairs) => {
      const form = parseForm(new URLSearchParams(pairs).toString())
      expect(form.ok).toBe(true)
      if (form.ok) for (const [name, value] of pairs) expect(form.value.get(name)).toContain(value)
    }),
  )
})

test('escapes of any kind read as the engine itself reads them, and what it refuses is refused', () => {
  const piece = fc.constantFrom(
    'a',
    '+',
    '%41',
    '%7e',
    '%7F',
    '%80',
    '%c3%a4',
    '%C3%',
    '%',
    '%4',
    '%g1',
    '%1g',
    '%00',
    '%25',
  )
  const engine = (text: string): string | null => {
    try {
      const value = decodeURIComponent(text.replaceAll('+', ' '))
      return value.includes('\0') ? null : value
    } catch {
      return null
    }
  }
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), (pieces) => {
      const text = pieces.join('')
      const form = parseForm(`a=${text}`)
      expect(form.ok ? form.value.get('a')?.[0] : null).toBe(engine(text))
    }),
  )
})

test('a character that is not printable ASCII is refused wherever it stands, and every printable one is let through', () => {
  const plain = 'a=0123456789'
  for (let code = 0; code <= 0x110; code += 1) {
    const character = String.fromCharCode(code)
    const isPrintable = code >= 0x21 && code <= 0x7e && !'&=%+'.includes(character)
    for (let length = 2; length < plain.length; length += 1) {
      for (let at = 2; at <= length; at += 1) {
        const value = plain.slice(2, at) + character + plain.slice(at, length)
        if (isPrintable) expect(valuesOf(`a=${value}`)).toEqual({ a: [value] })
        else if (!'&=%+'.includes(character)) expect(valuesOf(`a=${value}`)).toBe('request_malformed')
      }
    }
  }
})

test('a body beyond the limit is refused, as far as it was read', () => {
  expect(valuesOf(`a=${'x'.repeat(LIMITS.bodyBytesMax - 2)}`)).toHaveProperty('a')
  expect(valuesOf(`a=${'x'.repeat(LIMITS.bodyBytesMax)}`)).toBe('request_malformed')
})
