// Design §5: what is accepted and what becomes of it; files and loops are refused.
import { describe, expect, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import { canonicalDocument } from '../../lib/wire/compile-tenant.ts'
import { loadTenant } from '../../lib/wire/load-tenant.ts'
import {
  changed,
  DESIGN_EXAMPLE,
  END_OF_GITHUB,
  expectRefused,
  IN_HOUSE,
  loadTexts,
  MATCH,
  type Row,
  VALID,
  withSecond,
} from '../support/tenant-documents.ts'

const SECTIONS: readonly Row[] = [
  [
    'an inline secret',
    `${VALID}sinks:\n  siem: { type: splunk-hec, url: https://siem.acme.example, token: s3cret }\n`,
    'siem:',
    /inline secret is refused/,
  ],
  [
    'a sink without the token it needs',
    `${VALID}sinks:\n  siem: { type: splunk-hec, url: https://siem.acme.example }\n`,
    'siem:',
    /^"token" is missing$/,
  ],
  [
    "another tenant's secret",
    `${VALID}sinks:\n  siem: { type: splunk-hec, url: https://siem.acme.example, token: { file: globex/hec } }\n`,
    'globex/hec',
    /acme\/<name>/,
  ],
  [
    'a file of the host',
    `${VALID}sinks:\n  siem: { type: splunk-hec, url: https://siem.acme.example, token: { file: /etc/passwd } }\n`,
    '/etc/passwd',
    /<tenant>\/<name>/,
  ],
  [
    'a file that climbs',
    `${VALID}sinks:\n  siem: { type: splunk-hec, url: https://siem.acme.example, token: { file: acme/../x } }\n`,
    'acme/..',
    /<tenant>\/<name>/,
  ],
  [
    'a jsonl path of another tenant',
    `${VALID}sinks:\n  local: { type: jsonl, path: globex-audit.jsonl }\n`,
    'globex-audit',
    /bare name acme-/,
  ],
  [
    'a jsonl path with a directory',
    `${VALID}sinks:\n  local: { type: jsonl, path: acme-/../x.jsonl }\n`,
    'acme-/..',
    /bare name acme-/,
  ],
  [
    'a sink that is ourselves',
    `${VALID}sinks:\n  loop: { type: webhook, url: https://sts.example.com/t/acme/events }\n`,
    'loop:',
    /own base URL/,
  ],
  [
    'a receiver that is ourselves',
    `${VALID}receivers:\n  loop: { type: webhook, url: https://sts.example.com/ }\n`,
    'loop:',
    /own base URL/,
  ],
  [
    'a receiver at an address instead of a name',
    `${VALID}receivers:\n  edge: { type: webhook, url: https://10.0.0.1/ }\n`,
    'edge:',
    /must be a name/,
  ],
  [
    'a receiver without TLS',
    `${VALID}receivers:\n  edge: { type: webhook, url: http://edge.acme.example/ }\n`,
    'edge:',
    /must be https/,
  ],
  [
    "a receiver with another tenant's secret",
    `${VALID}receivers:\n  edge: { type: webhook, url: https://edge.acme.example/, authorization: { file: globex/x } }\n`,
    'globex/x',
    /acme\/<name>/,
  ],
  ['a receiver of a kind there is not', `${VALID}receivers:\n  edge: { type: pigeon }\n`, 'pigeon', /webhook or poll/],
  [
    'a receiver that polls and has a URL',
    `${VALID}receivers:\n  edge: { type: poll, url: https://edge.acme.example/ }\n`,
    'edge:',
    /url/,
  ],
  [
    'more receivers than a tenant may have',
    `${VALID}receivers:\n${Array.from({ length: LIMITS.receiversMax + 1 }, (_, at) => `  r${at}: { type: poll }\n`).join('')}`,
    'receivers:',
    /at most/,
  ],
  [
    'events of our own',
    `${VALID}events:\n  own: { issuer: https://sts.example.com/t/acme, on: {} }\n`,
    'own:',
    /own base URL/,
  ],
  [
    'an unknown kind of revocation',
    `${VALID}events:\n  idp: { issuer: https://idp.acme.example, on: { session-revoked: { subject: opaque, revoke: everybody } } }\n`,
    'everybody',
    /expected one of/,
  ],
]

test.each(SECTIONS)('refused: %s', (...row) => expectRefused(row))

describe('accepted', () => {
  test('the example of design §5 compiles without a problem, and to what the design says', () => {
    const { problems, tenants } = loadTexts([DESIGN_EXAMPLE])
    expect(problems).toEqual([])
    expect(tenants[0]?.config).toMatchObject({
      tenant: 'acme',
      issuerUrl: 'https://sts.example.com/t/acme',
      trustDomain: 'acme.example',
      tier: 'pooled',
    })
    expect(tenants[0]?.config.grants.map(({ name, issue }) => [name, issue.length])).toEqual([
      ['deploy-prod', 2],
      ['siem-reader', 1],
    ])
  })

  test.each([
    ['the same template under different fixed project ids', withSecond('/ci/{project.id}')],
    ['a template with a name of its own', withSecond('/deploy/{environment.name}')],
    [
      'any of several values, which cannot spell another identity',
      withSecond('/ops/{environment.name}', '{ project.id: "1111", environment.name: [staging, production] }'),
    ],
    ['an environment instead of a ref', changed('ref.full: refs/heads/main', 'environment.name: production')],
    ['a pattern on a ref', changed('refs/heads/main', '{ glob: "refs/heads/release/**" }')],
    [
      'an audience below our own',
      changed(END_OF_GITHUB, `${END_OF_GITHUB}    audience: https://sts.example.com/t/acme/ci\n`),
    ],
    [
      'a platform default with fixed_audience: accept',
      changed(
        END_OF_GITHUB,
        `${END_OF_GITHUB}    audience: https://github.com/acme\n    fixed_audience: accept\n    reason: workflows we cannot change\n`,
      ),
    ],
    ['several owner ids', changed('"1234567"', '["1234567", "7654"]')],
    [
      'untrusted_source: allow with a waiver',
      changed(
        MATCH,
        `${MATCH}    untrusted_source: allow\n    waivers: [{ rule: untrusted_source, reason: previews are public anyway }]\n`,
      ),
    ],
    ['a grant that only reports', changed('    identity: /ci', '    mode: report\n    identity: /ci')],
    [
      'on_replay, alg and claims',
      changed(
        '        ttl: 10m\n',
        '        ttl: 10m\n        alg: RS256\n        on_replay: revoke\n    claims: [project.id, ref.full]\n',
      ),
    ],
    ['nested claims', changed('git_ref }', 'git_ref, actor.id: [user, id] }')],
  ])('%s', (_name, text) => {
    expect(loadTexts([text]).problems).toEqual([])
  })

  test('http to loopback with --dev, and only to loopback', () => {
    const loopback = changed(
      'org_id: "1234567"',
      'org_id: "1234567"\n    issuer: http://127.0.0.1:9999\n    jwks: { url: http://localhost:9999/keys }',
    )
    expect(
      loadTexts([loopback.replace('https://sts.example.com', 'http://127.0.0.1:8080')], {
        dev: true,
        baseUrl: 'http://127.0.0.1:8080',
      }).problems,
    ).toEqual([])
    expect(loadTexts([loopback]).problems).toHaveLength(2)
    expect(loadTexts([changed(IN_HOUSE, '    issuer: http://ci.acme.example\n')], { dev: true }).problems).toHaveLength(
      1,
    )
  })

  test('under --dev the broker is not its own issuer by another name of loopback', () => {
    const own = changed(IN_HOUSE, '    issuer: http://localhost:8080/t/acme\n').replace(
      'https://sts.example.com',
      'http://127.0.0.1:8080',
    )
    expect(
      loadTexts([own], { dev: true, baseUrl: 'http://127.0.0.1:8080' }).problems.map(({ message }) => message),
    ).toEqual([expect.stringMatching(/own base URL/)])
  })

  test('defaults are those of design §5 and §6', () => {
    const { tenants } = loadTexts([changed('        ttl: 10m\n', '')])
    const config = tenants[0]!.config
    expect(config.issuers[0]).toMatchObject({
      audience: 'https://sts.example.com/t/acme',
      maxAgeSeconds: 300,
      replay: 'once',
      orgIds: ['1234567'],
      keys: { kind: 'discovery' },
    })
    expect(config.grants[0]).toMatchObject({
      mode: 'enforce',
      untrustedSource: 'deny',
      claims: ['provider', 'org.id', 'project.id', 'ref.full', 'environment.name', 'run.id'],
    })
    expect(config.grants[0]?.issue).toEqual([
      {
        type: 'access_token',
        audiences: ['https://deploy.acme.example'],
        scope: ['deploy'],
        ttlSeconds: 600,
        alg: 'ES256',
        onReplay: 'alert',
        introspects: null,
      },
    ])
  })

  test('a fixed audience sets replay once and 120 s', () => {
    const { tenants } = loadTexts([
      changed(
        END_OF_GITHUB,
        `${END_OF_GITHUB}    audience: https://github.com/acme\n    fixed_audience: accept\n    reason: workflows we cannot change\n`,
      ),
    ])
    expect(tenants[0]?.config.issuers[0]).toMatchObject({
      audience: 'https://github.com/acme',
      replay: 'once',
      maxAgeSeconds: 120,
    })
  })

  test('for gcp the project ids of the grants are the tenancy claim', () => {
    const text = `tenant: acme\ntrust_domain: acme.example\nissuers: { google: { provider: gcp } }\ngrants:\n  vm: { from: google, match: { project.id: ["111", "222"] }, identity: "/gcp/{project.id}", issue: [{ type: access_token, audience: [https://x.example], scope: [x] }] }\n`
    expect(loadTexts([text]).tenants[0]?.config.issuers[0]?.orgIds).toEqual(['111', '222'])
  })
})

test('a document printed as JSON is the same document: what is stored compiles to what was reviewed', () => {
  const loaded = loadTenant({ file: 'a.yaml', text: DESIGN_EXAMPLE })
  if (!loaded.ok) throw new Error('refused')
  const stored = canonicalDocument(loaded.loaded.document)
  const [first, again] = [loadTexts([DESIGN_EXAMPLE]), loadTexts([stored])]
  expect(again.problems).toEqual([])
  expect(again.tenants[0]?.config).toEqual(first.tenants[0]?.config)
})
