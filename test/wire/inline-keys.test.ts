// Row 17 of the attacks: a weak key is refused where an issuer is registered. What lint says of useless ones: lint-tenant.test.ts.
import { test } from 'vitest'
import { modulusOf, rocaModulus } from '../support/rsa-moduli.ts'
import { changed, expectRefused, IN_HOUSE, type Row } from '../support/tenant-documents.ts'

const inlineKey = (members: Record<string, unknown>) =>
  changed(IN_HOUSE, `${IN_HOUSE}    jwks: { inline: { keys: [${JSON.stringify(members)}] } }\n`)
const rsa = (members: Record<string, unknown>) => inlineKey({ kty: 'RSA', kid: 'k', e: 'AQAB', ...members })

const WEAK_KEYS: readonly Row[] = [
  ['an RSA key of 1024 bits', rsa({ n: modulusOf(1024) }), 'keys: [{', /2048 to 8192 bits/],
  ['an RSA key with exponent 1', rsa({ n: modulusOf(2048), e: 'AQ' }), 'keys: [{', /exponent/],
  ['a ROCA key', rsa({ n: rocaModulus(2048) }), 'keys: [{', /CVE-2017-15361/],
  ['a key in ordinary base64', rsa({ n: 'a+/=' }), 'keys: [{', /base64url/],
  [
    'a point off its curve',
    inlineKey({ kty: 'EC', kid: 'k', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }),
    'keys: [{',
    /not on its curve/,
  ],
]

test.each(WEAK_KEYS)('refused in an inline key set (row 17): %s', (...row) => expectRefused(row))
