// The catalogue of attacks, by the numbers of its rows, against the strict front: shape, header, key, signature, claims. Each
// entry names the private refusal it must end in. One table, so longer than a file should be. Rows that need more than one
// token in hand are elsewhere; attack-coverage.test.ts says where.
import { constants, createHash, createHmac, generateKeyPairSync, privateEncrypt, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { replayKeyInput } from '../../lib/domain/assertion-checks.ts'
import { parseCompactJws } from '../../lib/domain/compact-jws.ts'
import { CURVES } from '../../lib/domain/weierstrass.ts'
import { issuerKey } from '../support/evidence.ts'
import {
  AUDIENCE,
  claims,
  EC,
  encodePart,
  headerOf,
  ISSUER,
  type Judge,
  judgeToken,
  NOW,
  publicKeyOf,
  RSA,
  signParts,
  verdictOf,
} from '../support/jws.ts'
import { rocaModulus } from '../support/rsa-moduli.ts'

type Attack = {
  readonly row: number
  readonly says: string
  readonly token: string
  readonly kind: string
  readonly judge?: Judge
}
const attacks: Attack[] = []
const row = (number: number, says: string, token: string, kind: string, judge?: Judge): void => {
  attacks.push({ row: number, says, token, kind, ...(judge === undefined ? {} : { judge }) })
}

const rsa = (header: Record<string, unknown> = {}, payload: Record<string, unknown> = {}) =>
  signParts(RSA, headerOf(RSA, header), claims(payload))
const ec = (payload: Record<string, unknown> = {}) => signParts(EC, headerOf(EC), claims(payload))
const withPayload = (payload: string | Uint8Array) => signParts(RSA, headerOf(RSA), payload)
const partsOf = (token: string): [string, string, string] => token.split('.') as [string, string, string]
const jwkWith = (changes: Record<string, unknown>): Judge => ({ jwks: { keys: [{ ...RSA.jwk, ...changes }] } })

const GOOD = rsa()
const [HEADER, PAYLOAD, SIGNATURE] = partsOf(GOOD)
const EC_GOOD = ec()
const EC_SIGNATURE = Buffer.from(partsOf(EC_GOOD)[2], 'base64url')
const withEcSignature = (signature: Uint8Array) =>
  `${EC_GOOD.slice(0, EC_GOOD.lastIndexOf('.'))}.${encodePart(signature)}`
const TEXT = JSON.stringify(claims())
const objectText = (from: string, to: string): string => {
  expect(TEXT).toContain(from)
  return TEXT.replace(from, to)
}

// 1-4: who chooses the algorithm
for (const alg of ['none', 'None', 'nOnE', 'NONE']) {
  row(1, `alg ${alg} with a signature`, rsa({ alg }), 'alg_not_allowed')
  row(1, `alg ${alg} with an empty signature`, `${encodePart(headerOf(RSA, { alg }))}.${PAYLOAD}.`, 'token_not_compact')
  row(1, `alg ${alg} with no third part`, `${encodePart(headerOf(RSA, { alg }))}.${PAYLOAD}`, 'token_not_compact')
}
const pem = publicKeyOf(RSA).export({ type: 'spki', format: 'pem' }) as string
const secrets: Record<string, string | Buffer> = {
  PEM: pem,
  'PEM without its line end': pem.trimEnd(),
  'PEM after spaces': `  ${pem}`,
  DER: publicKeyOf(RSA).export({ type: 'spki', format: 'der' }),
  JWK: JSON.stringify(RSA.jwk),
  JWKS: JSON.stringify({ keys: [RSA.jwk] }),
}
for (const [form, secret] of Object.entries(secrets)) {
  for (const alg of ['HS256', 'HS384', 'HS512']) {
    const input = `${encodePart(headerOf(RSA, { alg }))}.${PAYLOAD}`
    const mac = createHmac(`sha${alg.slice(2)}`, secret)
      .update(input)
      .digest('base64url')
    row(2, `${alg} keyed with the public key as ${form}`, `${input}.${mac}`, 'alg_not_allowed')
    row(
      2,
      `${alg} keyed with ${form}, the JWK without alg`,
      `${input}.${mac}`,
      'alg_not_allowed',
      jwkWith({ alg: undefined }),
    )
  }
}
row(
  3,
  'ES256 in the header, an RSA key by kid',
  signParts({ ...EC, kid: RSA.kid }, headerOf(EC, { kid: RSA.kid }), claims()),
  'key_unusable',
)
row(3, 'RS256 in the header, an EC key by kid', rsa({ kid: EC.kid }), 'key_unusable')
row(3, 'PS256 on a key that states RS256', rsa({ alg: 'PS256' }), 'key_unusable', { algorithms: ['RS256', 'PS256'] })
row(3, 'ES521, which does not exist', rsa({ alg: 'ES521' }), 'alg_not_allowed')
row(3, 'an algorithm of the key type that is not registered', rsa({ alg: 'RS512' }), 'alg_not_allowed')
row(4, 'alg in lower case', rsa({ alg: 'rs256' }), 'alg_not_allowed')
row(4, 'alg as an array', rsa({ alg: ['RS256'] }), 'header_member_invalid')
row(4, 'alg as a number', rsa({ alg: 1 }), 'header_member_invalid')

// 5-11: who chooses the key
const own = issuerKey('RS256', 'attacker')
row(
  5,
  'self-signed with an embedded jwk',
  signParts(own, headerOf(own, { jwk: own.jwk }), claims()),
  'header_member_forbidden',
)
row(5, 'the right signature, and a jwk beside it', rsa({ jwk: RSA.jwk }), 'header_member_forbidden')
row(5, 'an embedded jwk under the typ of a proof', rsa({ jwk: RSA.jwk, typ: 'dpop+jwt' }), 'header_member_forbidden', {
  typ: ['dpop+jwt'],
  headerMembers: ['jwk'],
})
for (const member of ['jku', 'x5u'])
  row(6, member, rsa({ [member]: 'https://canary.example/keys' }), 'header_member_forbidden')
row(6, 'x5c', rsa({ x5c: ['MIIB'] }), 'header_member_forbidden')
row(6, 'jku named in the configuration', rsa({ jku: 'x' }), 'header_member_forbidden', { headerMembers: ['jku'] })
for (const kid of ['../../dev/null', "' UNION SELECT", '|id', 'constructor', '__proto__', 'toString'])
  row(7, `kid ${kid}`, rsa({ kid }), 'key_unknown')
row(7, 'kid as a query object', rsa({ kid: { $gt: '' } }), 'header_member_invalid')
row(7, 'kid as an array', rsa({ kid: [RSA.kid] }), 'header_member_invalid')
row(7, 'kid as a number', rsa({ kid: 1 }), 'header_member_invalid')
row(7, 'kid of 4 KiB', rsa({ kid: 'k'.repeat(4096) }), 'header_too_large')
row(7, 'kid of 3 KiB', rsa({ kid: 'k'.repeat(2900) }), 'json_string_too_long')
row(7, 'kid of 257 bytes', rsa({ kid: 'k'.repeat(257) }), 'header_member_invalid')
row(7, 'an empty kid', rsa({ kid: '' }), 'header_member_invalid')
row(7, 'kid with NUL after the right one', rsa({ kid: `${RSA.kid}\0` }), 'json_invalid')
row(8, 'no kid, one key', rsa({ kid: undefined }), 'kid_missing', { jwks: { keys: [RSA.jwk] } })
row(8, 'no kid, two keys', rsa({ kid: undefined }), 'kid_missing')
row(9, 'two keys of one kid', GOOD, 'key_unknown', { jwks: { keys: [RSA.jwk, { ...EC.jwk, kid: RSA.kid }] } })
row(9, 'the same key twice', GOOD, 'key_unknown', { jwks: { keys: [RSA.jwk, RSA.jwk] } })
row(10, 'a symmetric key takes the kid', GOOD, 'key_unknown', {
  jwks: { keys: [{ kty: 'oct', k: 'AAAA', kid: RSA.kid, alg: 'RS256' }] },
})
row(10, 'a symmetric key beside: the others stand', GOOD, 'accepted', {
  jwks: { keys: [RSA.jwk, { kty: 'oct', k: 'AAAA', kid: 'oct' }] },
})
row(11, 'use enc', GOOD, 'key_unknown', jwkWith({ use: 'enc' }))
row(11, 'key_ops without verify', GOOD, 'key_unknown', jwkWith({ key_ops: ['sign', 'wrapKey'] }))

// 12-16: signatures
const N = CURVES['P-256'].n
const half = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
for (const r of [0n, 1n, N - 1n, N, N + 1n]) {
  for (const s of [0n, 1n, N - 1n, N, N + 1n])
    row(12, `r=${r} s=${s}`, withEcSignature(Buffer.concat([half(r), half(s)])), 'signature_invalid')
}
row(
  14,
  'a DER signature',
  withEcSignature(sign('sha256', Buffer.from(EC_GOOD.slice(0, EC_GOOD.lastIndexOf('.'))), EC.privateKey)),
  'signature_invalid',
)
const lax: Record<string, (part: string) => string> = {
  'padding with =': (part) => `${part}=`,
  'escaped padding': (part) => `${part}%3D`,
  'a space inside': (part) => `${part.slice(0, 4)} ${part.slice(4)}`,
  'a tab at the end': (part) => `${part}\t`,
  'a line end at the end': (part) => `${part}\n`,
  'the alphabet of base64': (part) => `${part.slice(0, -1)}+`,
  'a slash': (part) => `/${part.slice(1)}`,
  'NUL at the end': (part) => `${part}\0`,
}
for (const [says, change] of Object.entries(lax)) {
  row(15, `${says}, in the header`, `${change(HEADER)}.${PAYLOAD}.${SIGNATURE}`, 'base64url_not_canonical')
  row(15, `${says}, in the payload`, `${HEADER}.${change(PAYLOAD)}.${SIGNATURE}`, 'base64url_not_canonical')
  row(15, `${says}, in the signature`, `${HEADER}.${PAYLOAD}.${change(SIGNATURE)}`, 'base64url_not_canonical')
}
// 256 bytes end in two characters of which the last has four bits that are no byte's.
row(
  15,
  'bits after the last byte of the signature',
  GOOD.slice(0, -1) + String.fromCharCode(GOOD.charCodeAt(GOOD.length - 1) + 1),
  'base64url_not_canonical',
)
row(
  15,
  'a truncated signature',
  `${HEADER}.${PAYLOAD}.${encodePart(Buffer.from(SIGNATURE, 'base64url').subarray(0, 255))}`,
  'signature_invalid',
)
row(15, 'a token after a space', ` ${GOOD}`, 'base64url_not_canonical')

/** PKCS#1 v1.5 by hand: 00 01 FF.. 00 DigestInfo, with whatever a test makes of it. */
const DIGEST_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex')
const digest = createHash('sha256').update(`${HEADER}.${PAYLOAD}`).digest()
const padded = (tail: Buffer, { type = 1, fill = 0xff, junk = Buffer.alloc(0) } = {}) =>
  Buffer.concat([
    Buffer.from([0, type]),
    Buffer.alloc(256 - 3 - tail.length - junk.length, fill),
    Buffer.from([0]),
    tail,
    junk,
  ])
const rawSigned = (block: Buffer) =>
  `${HEADER}.${PAYLOAD}.${privateEncrypt({ key: RSA.privateKey, padding: constants.RSA_NO_PADDING }, block).toString('base64url')}`
row(
  16,
  'the padding by the book (this is what the others change)',
  rawSigned(padded(Buffer.concat([DIGEST_INFO, digest]))),
  'accepted',
)
row(16, 'block type 2', rawSigned(padded(Buffer.concat([DIGEST_INFO, digest]), { type: 2 })), 'signature_invalid')
row(16, 'block type 0', rawSigned(padded(Buffer.concat([DIGEST_INFO, digest]), { type: 0 })), 'signature_invalid')
row(
  16,
  'filling other than FF',
  rawSigned(padded(Buffer.concat([DIGEST_INFO, digest]), { fill: 0xfe })),
  'signature_invalid',
)
row(
  16,
  'bytes after the digest (Bleichenbacher 2006)',
  rawSigned(padded(Buffer.concat([DIGEST_INFO, digest]), { junk: Buffer.alloc(100, 7) })),
  'signature_invalid',
)
row(16, 'a digest without its algorithm', rawSigned(padded(digest)), 'signature_invalid')
row(
  16,
  'parameters left out of the algorithm',
  rawSigned(
    padded(Buffer.concat([Buffer.from('302f300b0609608648016503040201', 'hex'), Buffer.from('0420', 'hex'), digest])),
  ),
  'signature_invalid',
)
row(
  16,
  'the algorithm of another hash',
  rawSigned(padded(Buffer.concat([Buffer.from('3031300d060960864801650304020205000420', 'hex'), digest]))),
  'signature_invalid',
)
const pssHeader = `${encodePart(headerOf(RSA, { alg: 'PS256' }))}.${PAYLOAD}`
for (const saltLength of [0, 31, 33]) {
  const signature = sign('sha256', Buffer.from(pssHeader), {
    key: RSA.privateKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength,
  })
  row(16, `PSS with a salt of ${saltLength}`, `${pssHeader}.${signature.toString('base64url')}`, 'signature_invalid', {
    ...jwkWith({ alg: undefined }),
    algorithms: ['PS256'],
  })
}

// 17-18: keys
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
row(
  17,
  'RSA of 1024 bits',
  signParts({ ...RSA, privateKey: weak.privateKey }, headerOf(RSA), claims()),
  'key_unknown',
  jwkWith(weak.publicKey.export({ format: 'jwk' })),
)
row(17, 'e of 1', GOOD, 'key_unknown', jwkWith({ e: 'AQ' }))
row(17, 'a ROCA modulus', GOOD, 'key_unknown', jwkWith({ n: rocaModulus(2048) }))
row(17, 'an empty HMAC key', GOOD, 'key_unknown', { jwks: { keys: [{ kty: 'oct', k: '', kid: RSA.kid }] } })
const onP384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })
row(18, 'a key on another curve than its algorithm needs', EC_GOOD, 'key_unknown', {
  jwks: { keys: [{ ...onP384, kid: EC.kid, alg: 'ES256' }] },
})
row(18, 'a point off its curve', EC_GOOD, 'key_unknown', {
  jwks: { keys: [{ ...EC.jwk, x: EC.jwk['y'], y: EC.jwk['x'] }] },
})

// 19-26: other shapes
row(
  19,
  'the JSON serialization',
  JSON.stringify({ protected: HEADER, payload: PAYLOAD, signature: SIGNATURE }),
  'token_not_compact',
)
row(
  19,
  'the general JSON serialization with two signatures',
  JSON.stringify({ payload: PAYLOAD, signatures: [{ protected: HEADER, signature: SIGNATURE }, {}] }),
  'token_not_compact',
)
row(19, 'a compact token hidden in JSON', JSON.stringify({ '': GOOD }), 'base64url_not_canonical')
row(
  20,
  'a JWE of five parts',
  `${encodePart({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.AAAA.AAAA.AAAA.AAAA`,
  'token_not_compact',
)
row(
  21,
  'PBES2 with a huge count',
  `${encodePart({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31, p2s: 'AAAA' })}.AAAA.AAAA.AAAA.AAAA`,
  'token_not_compact',
)
row(21, 'p2c in a signed token', rsa({ p2c: 2 ** 31 }), 'header_member_forbidden')
row(22, 'zip', rsa({ zip: 'DEF' }), 'header_member_forbidden')
row(23, 'a nested token by cty', signParts(RSA, headerOf(RSA, { cty: 'JWT' }), GOOD), 'header_member_forbidden')
row(23, 'a nested token without cty', withPayload(GOOD), 'json_invalid')
row(24, 'a JWE with an empty key', `${encodePart({ alg: 'dir', enc: 'A128GCM' })}..AAAA.AAAA.AAAA`, 'token_not_compact')
for (const crit of [['x'], [], 'exp', ['b64', 'b64'], null])
  row(25, `crit ${JSON.stringify(crit)}`, rsa({ crit }), 'header_member_forbidden')
row(26, 'b64 false', rsa({ b64: false }), 'header_member_forbidden')
row(26, 'b64 false with crit', rsa({ b64: false, crit: ['b64'] }), 'header_member_forbidden')

// 27-35: JSON
row(27, 'sub twice', withPayload(objectText('{', '{"sub":"repo:evil/api",')), 'json_duplicate_member')
row(
  27,
  'sub twice, once escaped',
  withPayload(objectText('{', '{"\\u0073ub":"repo:evil/api",')),
  'json_duplicate_member',
)
for (const name of ['aud', 'exp', 'iss'])
  row(27, `${name} twice`, withPayload(objectText('{', `{"${name}":0,`)), 'json_duplicate_member')
row(
  27,
  'alg twice',
  signParts(RSA, JSON.stringify(headerOf(RSA)).replace('{', '{"alg":"none",'), claims()),
  'json_duplicate_member',
)
row(27, 'a duplicate in a nested object', withPayload(objectText('{', '{"x":{"a":1,"a":2},')), 'json_duplicate_member')
row(28, 'a byte order mark', withPayload(`\ufeff${TEXT}`), 'json_invalid')
row(
  28,
  'a byte order mark in the header',
  signParts(RSA, `\ufeff${JSON.stringify(headerOf(RSA))}`, claims()),
  'json_invalid',
)
row(28, 'a lone surrogate', withPayload(objectText('repo:', '\\ud800repo:')), 'json_invalid')
row(28, 'an escaped NUL', withPayload(objectText('repo:', '\\u0000repo:')), 'json_invalid')
row(28, 'a raw NUL', withPayload(objectText('repo:', '\0repo:')), 'json_invalid')
row(
  28,
  'bytes that are not UTF-8',
  withPayload(Buffer.from(objectText('repo:', '\xffrepo:'), 'latin1')),
  'utf8_invalid',
)
row(
  28,
  'an overlong slash',
  withPayload(Buffer.from(objectText('acme/api', 'acme\xc0\xafapi'), 'latin1')),
  'utf8_invalid',
)
for (const text of ['[]', '"x"', '1', 'null', `[${TEXT}]`])
  row(29, `payload ${text.slice(0, 6)}`, withPayload(text), 'json_not_object')
row(30, 'nine levels', withPayload(`{"a":${'['.repeat(8)}${']'.repeat(8)}}`), 'json_too_deep')
row(30, '5000 levels', withPayload('['.repeat(5_000)), 'json_too_deep')
row(30, 'a million levels', withPayload('['.repeat(1_000_000)), 'token_too_large')
const numbered = (count: number) =>
  JSON.stringify(claims(Object.fromEntries(Array.from({ length: count }, (_, i) => [i * 65_536, 0]))))
row(31, 'integer-like names made to collide', withPayload(numbered(400)), 'json_too_many_members')
row(
  32,
  '300 members',
  withPayload(JSON.stringify(claims(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`m${i}`, 0]))))),
  'json_too_many_members',
)
row(32, '300 000 members', withPayload(numbered(300_000)), 'token_too_large')
row(33, 'a string of 20 MB', `${HEADER}.${'A'.repeat(20_000_000)}.${SIGNATURE}`, 'token_too_large')
row(33, 'a string of 2049 bytes', rsa({}, { x: 'x'.repeat(2_049) }), 'json_string_too_long')
row(34, 'a million dots', '.'.repeat(1_000_000), 'token_too_large')
row(34, 'as many dots as a token may be long', '.'.repeat(16_384), 'token_not_compact')
row(34, 'a dot after every character', 'A.'.repeat(8_192), 'token_not_compact')
row(35, 'many tiny strings', rsa({}, { x: Array(300).fill('') }), 'json_too_many_members')
row(35, 'many tiny arrays', rsa({}, { x: Array(300).fill([]) }), 'json_too_many_members')

// 38-42: names
for (const [says, iss] of Object.entries({
  'a Cyrillic letter': 'https://issuer.ex\u0430mple',
  'a Kelvin sign': 'https://issuer.e\u212aample',
  'fullwidth letters': 'https://\uff49ssuer.example',
  'a joiner': 'https://issuer\u200d.example',
  'right-to-left marks': 'https://issuer.example\u200f',
})) {
  row(38, `an issuer with ${says}`, rsa({}, { iss }), 'issuer_unknown')
}
row(
  38,
  'an audience in another normal form',
  rsa({}, { aud: 'https://broker.example/t/cafe\u0301' }),
  'audience_mismatch',
  { audience: 'https://broker.example/t/caf\u00e9' },
)
for (const sub of [{}, '', 7, null, undefined, ['x'], true])
  row(39, `sub ${JSON.stringify(sub)}`, rsa({}, { sub }), 'subject_invalid')
for (const jti of [{}, '', 7, null, ['x'], 'j'.repeat(257)])
  row(39, `jti ${JSON.stringify(jti).slice(0, 12)}`, rsa({}, { jti }), 'jti_invalid')
for (const aud of [[AUDIENCE, 'evil'], ['evil', AUDIENCE], [], [[AUDIENCE]], { 0: AUDIENCE }, null, undefined, 7])
  row(40, `aud ${JSON.stringify(aud)}`, rsa({}, { aud }), 'audience_invalid')
row(40, 'aud of another party', rsa({}, { aud: 'evil' }), 'audience_mismatch')
// CVE-2025-27370: a token endpoint, ours or another server's, is no name of this tenant; nor is what begins with the name.
for (const aud of [`${AUDIENCE}/token`, `${AUDIENCE}/`, 'https://as.example/t/acme/token', new URL(AUDIENCE).origin])
  row(41, `aud ${aud}`, rsa({}, { aud }), 'audience_mismatch')
for (const iss of [
  'https://i',
  `${ISSUER}.evil`,
  `${ISSUER}/`,
  'HTTPS://issuer.example',
  'https://ISSUER.example',
  '//issuer.example',
  'issuer.example',
  `${ISSUER}?x=`,
  `${ISSUER}#`,
  `https://x@issuer.example`,
  `${ISSUER}:443`,
  `${ISSUER} `,
  [ISSUER],
  null,
  7,
]) {
  row(42, `iss ${JSON.stringify(iss)}`, rsa({}, { iss }), 'issuer_unknown')
}

// 44-49: times
for (const exp of ['1700000290', null, [NOW + 290], -1, {}, true])
  row(44, `exp ${JSON.stringify(exp)}`, rsa({}, { exp }), 'time_invalid')
row(45, 'exp 1e400', withPayload(objectText(String(NOW + 290), '1e400')), 'json_invalid')
for (const exp of ['1e300', '9007199254740993', '1700000290.5', '1700000290000', '253402300800'])
  row(45, `exp ${exp}`, withPayload(objectText(String(NOW + 290), exp)), 'time_invalid')
row(45, 'a lifetime the issuer never signs', rsa({}, { exp: NOW + 86_400 }), 'lifetime_too_long', {
  lifetimeSecondsMax: 3_600,
})
row(46, 'no exp', rsa({}, { exp: undefined }), 'time_invalid')
row(47, 'iat in an hour', rsa({}, { iat: NOW + 3_600, exp: NOW + 7_200 }), 'not_yet_valid')
row(47, 'no iat', rsa({}, { iat: undefined }), 'time_invalid')
row(47, 'iat as a string', rsa({}, { iat: String(NOW) }), 'time_invalid')
row(48, 'nbf in an hour', rsa({}, { nbf: NOW + 3_600 }), 'not_yet_valid')
row(48, 'nbf as a string', rsa({}, { nbf: String(NOW) }), 'time_invalid')
for (const [exp, kind] of [
  [NOW - 31, 'expired'],
  [NOW - 30, 'expired'],
  [NOW - 29, 'accepted'],
] as const)
  row(49, `exp ${exp - NOW} s`, rsa({}, { iat: NOW - 300, exp }), kind)
for (const [iat, kind] of [
  [NOW + 29, 'accepted'],
  [NOW + 30, 'accepted'],
  [NOW + 31, 'not_yet_valid'],
  [NOW - 600, 'accepted'],
  [NOW - 601, 'too_old'],
] as const)
  row(49, `iat ${iat - NOW} s`, rsa({}, { iat }), kind)
for (const skew of [-61, 61])
  row(
    49,
    `our clock off by ${skew} s`,
    rsa({}, { iat: NOW, nbf: NOW, exp: NOW + 31 }),
    skew < 0 ? 'not_yet_valid' : 'expired',
    { nowSeconds: NOW + skew },
  )

// 64, 68: prototypes, kinds of token
row(
  64,
  '__proto__ in the claims',
  withPayload(objectText('{', '{"__proto__":{"sub":"repo:evil/api"},')),
  'json_forbidden_member',
)
row(
  64,
  '__proto__ deep in the claims',
  withPayload(objectText('{', '{"a":[{"__proto__":{}}],')),
  'json_forbidden_member',
)
row(
  64,
  '__proto__, escaped, in the header',
  signParts(RSA, JSON.stringify(headerOf(RSA)).replace('{', '{"__pr\\u006fto__":{},'), claims()),
  'json_forbidden_member',
)
row(64, 'constructor in the header', rsa({ constructor: { prototype: { admin: true } } }), 'header_member_forbidden')
for (const typ of [
  'at+jwt',
  'application/at+jwt',
  'secevent+jwt',
  'dpop+jwt',
  'token-introspection+jwt',
  'entity-statement+jwt',
  '',
])
  row(68, `typ ${typ}`, rsa({ typ }), 'typ_not_accepted')

test('the token every attack starts from is accepted, so that each is refused for what it changes', () => {
  expect([verdictOf(GOOD), verdictOf(EC_GOOD)]).toEqual(['accepted', 'accepted'])
})

describe('attacks', () => {
  test.each(attacks)('row $row: $says', ({ token, kind, judge }) => {
    expect(verdictOf(token, judge)).toBe(kind)
  })
})

test('row 13: the twin (r, n-s) of an ECDSA signature may verify, but is the same evidence', () => {
  const s = BigInt(`0x${EC_SIGNATURE.subarray(32).toString('hex')}`)
  const twin = withEcSignature(Buffer.concat([EC_SIGNATURE.subarray(0, 32), half(N - s)]))
  expect(twin).not.toBe(EC_GOOD)
  const keys = [EC_GOOD, twin].map((token) => {
    const judged = judgeToken(token)
    return judged.ok && replayKeyInput(ISSUER, judged.value.claims.jti, judged.value.jws.signingInput)
  })
  expect(keys[0]).toBe(keys[1])
  const withoutJti = [EC_GOOD, twin].map((token) => {
    const parsed = parseCompactJws(token)
    return parsed.ok && replayKeyInput(ISSUER, null, parsed.value.signingInput)
  })
  expect(withoutJti[0]).toBe(withoutJti[1])
})

test.each([
  [21, 'PBES2', attacks.find(({ row: number }) => number === 21)!.token],
  [34, 'a million dots', '.'.repeat(1_000_000)],
  [34, '16 384 dots', '.'.repeat(16_384)],
])('row %i: %s costs less than a millisecond', (_, __, token) => {
  const times = Array.from({ length: 20 }, () => {
    const start = performance.now()
    parseCompactJws(token)
    return performance.now() - start
  })
  expect(Math.min(...times)).toBeLessThan(1)
})

test('row 39: a subject is one string, never a number that prints alike', () => {
  expect(verdictOf(rsa({}, { sub: '7' }))).toBe('accepted')
  expect(verdictOf(rsa({}, { sub: 7 }))).toBe('subject_invalid')
})

test('row 50: one jti of two issuers is two pieces of evidence', () => {
  expect(replayKeyInput('https://a.example', 'j', 'h.p')).not.toBe(replayKeyInput('https://b.example', 'j', 'h.p'))
})

test('row 51: without a jti two tokens that differ anywhere are two pieces of evidence', () => {
  const inputs = [ec({ jti: undefined }), ec({ jti: undefined, run: 2 })].map((token) =>
    token.slice(0, token.lastIndexOf('.')),
  )
  expect(replayKeyInput(ISSUER, null, inputs[0]!)).not.toBe(replayKeyInput(ISSUER, null, inputs[1]!))
})

test('row 64: constructor and prototype are ordinary names, and change nothing but their own object', () => {
  const judged = judgeToken(rsa({}, { constructor: { prototype: { admin: true } }, toString: 'x' }))
  expect(judged.ok && judged.value.jws.claims['constructor']).toEqual({ prototype: { admin: true } })
  expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
})

test('row 70: environments a:b and a%3Ab stay two environments, though GitHub writes one sub for both', () => {
  const environments = ['a:b', 'a%3Ab'].map((environment) => {
    const judged = judgeToken(rsa({}, { sub: 'repo:acme/api:environment:a%3Ab', environment }))
    return judged.ok && judged.value.jws.claims['environment']
  })
  expect(environments).toEqual(['a:b', 'a%3Ab'])
})
