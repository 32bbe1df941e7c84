// Design §5 and issuers.md §0: what is refused of an issuer at load, on which line and in which words.
import { expect, test } from 'vitest'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { safeTemplates, sample } from '../support/assertion-samples.ts'
import { changed, END_OF_GITHUB, expectRefused, IN_HOUSE, loadTexts, type Row } from '../support/tenant-documents.ts'

const ISSUERS: readonly Row[] = [
  ['a shared issuer without its tenancy claim', changed(END_OF_GITHUB, ''), 'github:', /org_id must name yours/],
  [
    'an iss of one preset registered through another',
    changed(IN_HOUSE, '    issuer: https://gitlab.com\n'),
    'https://gitlab.com',
    /belongs to the gitlab preset/,
  ],
  [
    'an iss that the preset does not have',
    changed(END_OF_GITHUB, `${END_OF_GITHUB}    issuer: https://evil.example\n`),
    'https://evil.example',
    /does not accept this issuer/,
  ],
  [
    'an iss that only looks like the platform (A13)',
    changed(END_OF_GITHUB, `${END_OF_GITHUB}    issuer: https://token.actions.githubusercontent.com@evil.example\n`),
    '@evil.example',
    /does not accept/,
  ],
  ['a preset without an issuer of its own', changed(IN_HOUSE, ''), '    provider: generic', /needs "issuer"/],
  [
    'two issuers of one iss',
    changed(IN_HOUSE, '    issuer: https://oidc.cluster.acme.example\n'),
    'in-house:',
    /same iss/,
  ],
  [
    'our own base URL as issuer',
    changed(IN_HOUSE, '    issuer: https://sts.example.com/t/globex\n'),
    '/t/globex',
    /own base URL/,
  ],
  [
    'our own base URL as issuer, in capitals',
    changed(IN_HOUSE, '    issuer: https://STS.example.com:443/t/acme\n'),
    'STS',
    /own base URL/,
  ],
  [
    'our own key set',
    changed(IN_HOUSE, `${IN_HOUSE}    jwks: { url: https://sts.example.com/t/acme/jwks.json }\n`),
    'jwks.json',
    /own base URL/,
  ],
  ['http', changed(IN_HOUSE, '    issuer: http://ci.acme.example\n'), 'http://ci', /does not accept/],
  [
    'http for keys',
    changed(IN_HOUSE, `${IN_HOUSE}    jwks: { url: http://ci.acme.example/keys }\n`),
    'http://ci.acme.example/keys',
    /must be https/,
  ],
  [
    'http to loopback without --dev',
    changed(IN_HOUSE, `${IN_HOUSE}    jwks: { url: http://127.0.0.1:9/keys }\n`),
    'http://127',
    /must be https/,
  ],
  ...(
    [
      ['https://10.0.0.1/keys', /DNS, not by an address/],
      ['https://[fd00::1]/keys', /DNS, not by an address/],
      ['https://0x0a000001/keys', /DNS, not by an address/],
      ['https://ci.acme.example:8443/keys', /port 443/],
      ['https://ci.acme.example/keys?x=1', /query/],
      ['https://ci.acme.example/ke\\ys', /backslash/],
    ] as const
  ).map(
    ([url, message]): Row => [
      `a key set that would never be fetched, ${url}`,
      changed(IN_HOUSE, `${IN_HOUSE}    jwks: { url: '${url}' }\n`),
      url,
      message,
    ],
  ),
  [
    'an issuer whose discovery document would never be fetched',
    changed(IN_HOUSE, '    issuer: https://ci.acme.example:8443\n'),
    ':8443',
    /discovered at must be on port 443/,
  ],
  ['a user in a URL', changed(IN_HOUSE, `${IN_HOUSE}    jwks: { url: https://a@b.example/keys }\n`), 'a@b', /user/],
  [
    'a private key in an inline key set',
    changed('keys: []', 'keys: [{ kty: EC, kid: a, crv: P-256, x: a, y: b, d: c }]'),
    'kty: EC',
    /private key/,
  ],
  [
    'a symmetric key in an inline key set',
    changed('keys: []', 'keys: [{ kty: oct, kid: a, k: c }]'),
    'kty: oct',
    /RSA or EC/,
  ],
  [
    'the in-cluster issuer without inline keys',
    changed(
      'issuer: https://oidc.cluster.acme.example\n    jwks: { inline: { keys: [] } }',
      'issuer: https://kubernetes.default.svc',
    ),
    'cluster:',
    /inline key set/,
  ],
  [
    'an audience that is a platform default',
    changed(END_OF_GITHUB, `${END_OF_GITHUB}    audience: https://github.com/acme\n`),
    'https://github.com/acme',
    /default audience/,
  ],
  [
    'an audience of cloud federation',
    changed(IN_HOUSE, `${IN_HOUSE}    audience: sts.amazonaws.com\n`),
    'sts.amazonaws.com',
    /default audience/,
  ],
  [
    'an audience of somebody else',
    changed(IN_HOUSE, `${IN_HOUSE}    audience: https://sts.example.com/t/acme2\n`),
    '/t/acme2',
    /must be https:\/\/sts\.example\.com\/t\/acme, or begin/,
  ],
  [
    'a fixed audience without fixed_audience: accept',
    changed(
      'provider: generic\n    issuer: https://ci.acme.example',
      'provider: azure_devops\n    issuer: https://vstoken.dev.azure.com/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d',
    ).replace('    claims: { project.id: project_uuid, ref.full: git_ref }\n', ''),
    'provider: azure_devops',
    /fixed_audience: accept/,
  ],
  [
    'fixed_audience: accept without a reason',
    changed(END_OF_GITHUB, `${END_OF_GITHUB}    audience: https://github.com/acme\n    fixed_audience: accept\n`),
    'fixed_audience',
    /needs a reason/,
  ],
  [
    'a fixed audience with reuse',
    changed(
      END_OF_GITHUB,
      `${END_OF_GITHUB}    audience: https://github.com/acme\n    fixed_audience: accept\n    reason: an old workflow\n    replay: reuse\n`,
    ),
    'replay: reuse',
    /replay must be once/,
  ],
  [
    'a fixed audience with an age above 120 s',
    changed(
      END_OF_GITHUB,
      `${END_OF_GITHUB}    audience: https://github.com/acme\n    fixed_audience: accept\n    reason: an old workflow\n    max_age: 3m\n`,
    ),
    'max_age',
    /120 s at most/,
  ],
  [
    'a longer age than the preset has',
    changed(END_OF_GITHUB, `${END_OF_GITHUB}    max_age: 10m\n`),
    'max_age',
    /300 s at most/,
  ],
  [
    'an algorithm the platform does not use',
    changed(END_OF_GITHUB, `${END_OF_GITHUB}    algorithms: [ES256]\n`),
    'ES256',
    /does not sign with ES256/,
  ],
  ['HMAC', changed(IN_HOUSE, `${IN_HOUSE}    algorithms: [HS256]\n`), 'HS256', /expected one of/],
  [
    'a claim mapped over one of the preset',
    changed(END_OF_GITHUB, `${END_OF_GITHUB}    claims: { ref.full: head_ref }\n`),
    'head_ref',
    /cannot be mapped/,
  ],
  ...(
    [
      [
        'request_tags of AWS',
        'aws',
        'https://6f1c0000-1111-4222-8333-444455556666.tokens.sts.global.api.aws',
        '["https://sts.amazonaws.com/", request_tags, team]',
      ],
      ['a claim the preset itself calls the caller’s', 'spacelift', 'https://acme.app.spacelift.io', 'scope'],
    ] as const
  ).map(
    ([name, provider, issuer, claim]): Row => [
      `what the caller wrote, mapped to a leaf: ${name}`,
      changed(
        'provider: generic\n    issuer: https://ci.acme.example',
        `provider: ${provider}\n    issuer: ${issuer}`,
      ).replace('claims: { project.id: project_uuid, ref.full: git_ref }', `claims: { visibility: ${claim} }`),
      'visibility',
      /whatever the caller of .* wrote/,
    ],
  ),
  [
    'untrusted_source mapped from a claim',
    changed('ref.full: git_ref }', 'ref.full: git_ref, untrusted_source: safe }'),
    'untrusted_source',
    /cannot be mapped/,
  ],
  [
    'a SPIFFE trust domain without a place of its keys',
    changed(
      'provider: generic\n    issuer: https://ci.acme.example',
      'provider: spiffe\n    org_id: prod.example\n    issuer: spiffe://prod.example',
    ).replace('    claims: { project.id: project_uuid, ref.full: git_ref }\n', ''),
    'spiffe://prod.example',
    /no discovery/,
  ],
  [
    'a SPIFFE trust domain that is not said (A15)',
    changed(
      'provider: generic\n    issuer: https://ci.acme.example',
      'provider: spiffe\n    jwks: { url: https://ci.acme.example/bundle }\n    issuer: spiffe://prod.example',
    ).replace('    claims: { project.id: project_uuid, ref.full: git_ref }\n', ''),
    'in-house:',
    /org_id must name yours/,
  ],
  [
    'an org_id no claim fills',
    changed(IN_HOUSE, `${IN_HOUSE}    org_id: acme\n`),
    'org_id: acme',
    /no claim fills org.id/,
  ],
]

test.each(ISSUERS)('refused: %s', (...row) => expectRefused(row))

test('an issuer on another port is taken where its keys are not fetched from there', () => {
  const issuer = '    issuer: https://ci.acme.example:8443\n'
  for (const jwks of ['{ url: https://keys.acme.example/ci }', '{ inline: { keys: [] } }'])
    expect(loadTexts([changed(IN_HOUSE, `${issuer}    jwks: ${jwks}\n`)]).problems).toEqual([])
})

const FIXED = Object.values(PROVIDER_CATALOG).filter(({ audience }) => audience === 'fixed')

test.each(FIXED)(
  'A10: $title is taken with fixed_audience: accept, its own audience, once and for 120 s',
  ({ name }) => {
    const { org_id, sample: good } = safeTemplates[name]
    const { iss, aud } = sample(good).claims
    const entry = [
      `provider: ${name}`,
      ...(PROVIDER_CATALOG[name].issuer.exact === undefined ? [`issuer: ${iss}`] : []),
      ...(org_id === null ? [] : [`org_id: "${org_id}"`]),
    ]
    const load = (...more: readonly string[]) =>
      loadTexts([
        changed(
          `provider: generic\n${IN_HOUSE}    claims: { project.id: project_uuid, ref.full: git_ref }\n`,
          [...entry, ...more].map((line, index) => `${index === 0 ? '' : '    '}${line}\n`).join(''),
        ),
      ])
    const messages = (...more: readonly string[]) => load(...more).problems.map(({ message }) => message)
    const accept = ['fixed_audience: accept', 'reason: it has no other']
    expect(load(...accept).problems).toEqual([])
    const issuer = load(...accept).tenants[0]?.config.issuers.find(({ provider }) => provider === name)
    expect(issuer).toMatchObject({ issuer: iss, audience: aud, replay: 'once', maxAgeSeconds: 120 })
    expect(messages()).toEqual([expect.stringMatching(/needs fixed_audience: accept and a reason/)])
    expect(messages(...accept, 'audience: https://sts.example.com/t/acme')).toEqual([
      expect.stringMatching(/audience of this platform is fixed/),
    ])
    expect(messages(...accept, 'max_age: 121s')).toEqual([expect.stringMatching(/120 s at most/)])
  },
)
