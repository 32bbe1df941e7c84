// The linter: pairs of grants that could both serve one request, and advice, each on its line and each waivable where it says so.
import { describe, expect, test } from 'vitest'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { lintTenant } from '../../lib/wire/lint-tenant.ts'
import { COMPILE, changed, DESIGN_EXAMPLE, lineOf, loadTexts, MATCH, VALID } from '../support/tenant-documents.ts'

const lint = (text: string) => {
  const { problems, tenants } = loadTexts([text])
  expect(problems).toEqual([])
  return lintTenant(tenants[0]!, PROVIDER_CATALOG)
}
const rules = (text: string) => lint(text).map(({ rule, line }) => `${rule}:${line}`)

const second = (match: string, audience = 'https://deploy.acme.example', more = '') => `${VALID}  second:
    from: github
    match: { project.id: "7654321", ${match} }
    identity: /ci/{project.id}/second
    issue: [{ type: access_token, audience: [${audience}], scope: [x] }]${more}
`

const EC = {
  kty: 'EC',
  crv: 'P-256',
  kid: 'k',
  x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
  y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
}
const withInline = (changes: readonly Record<string, unknown>[], more: string) =>
  changed(
    'inline: { keys: [] } }',
    `inline: { keys: ${JSON.stringify(changes.map((change) => ({ ...EC, ...change })))} } }${more}`,
  )

test.each([
  ['without kid', [{ kid: undefined }], ''],
  ['for encryption', [{ use: 'enc' }], ''],
  ['of the same kid as another', [{}, {}], ''],
  ['of a type this issuer never uses', [{}], '\n    algorithms: [RS256]'],
])('an inline key that verifies nothing is pointed out: %s', (_name, changes, more) => {
  const text = withInline(changes, more)
  expect(rules(text)).toContain(`unused_key:${lineOf(text, 'keys: [{')}`)
})

test('an inline key that evidence can be verified with is nothing to warn of', () => {
  expect(rules(withInline([{}], '')).filter((rule) => rule.startsWith('unused_key'))).toEqual([])
})

describe('pairs', () => {
  const pairRules = (text: string) =>
    lint(text).flatMap(({ rule, message }) =>
      rule === 'ambiguous' || rule === 'shadowed' ? [`${rule}: ${message}`] : [],
    )

  test.each([
    ['another ref', 'ref.full: refs/heads/dev'],
    ['another value of a list', 'ref.full: [refs/heads/a, refs/heads/b]'],
    ['a pattern beside it', 'ref.full: { glob: "refs/heads/release/*" }'],
    ['its opposite', 'ref.full: { not: refs/heads/main }, environment.name: x'],
    ['its opposite by pattern', 'ref.full: { not: { glob: "refs/heads/m*" } }, environment.name: x'],
  ])('two grants that no workload can both match are no pair: %s', (_name, match) => {
    expect(pairRules(second(match))).toEqual([])
  })

  test.each([
    ['a pattern over it', 'ref.full: { glob: "refs/heads/**" }, trigger.class: push'],
    ['another leaf', 'environment.name: production'],
    ['the opposite of something else', 'ref.full: { not: refs/heads/dev }, environment.name: x'],
  ])('two grants that one workload can match and that share an audience are ambiguous: %s', (_name, match) => {
    expect(pairRules(second(match))).toEqual([
      expect.stringMatching(/^ambiguous: .*"deploy", and both issue for https:\/\/deploy.acme.example/),
    ])
  })

  test('a grant inside another is shadowed, whichever comes first', () => {
    expect(pairRules(second('ref.full: refs/heads/main, runner.class: hosted'))).toEqual([
      expect.stringMatching(/^shadowed: "deploy" matches wherever this grant does/),
    ])
    expect(pairRules(second('ref.full: { glob: "refs/**" }'))).toEqual([
      expect.stringMatching(/^shadowed: this grant matches wherever "deploy" does/),
    ])
  })

  test('different audiences, different issuers and report grants make no pair', () => {
    expect(pairRules(second('ref.full: refs/heads/main', 'https://other.example'))).toEqual([])
    expect(pairRules(second('ref.full: refs/heads/main', undefined, '\n    mode: report'))).toEqual([])
  })
})

describe('advice', () => {
  test('what the platform has and the grant does not bind is a warning on its match, and a waiver with a reason silences it', () => {
    const advice = lint(VALID).filter(({ rule }) => rule === 'advice')
    expect(advice.map(({ message }) => message).join('\n')).toMatch(/bind runner.class/)
    expect(advice.every(({ line, path }) => line > 0 && path.startsWith('grants'))).toBe(true)
    const waived = lint(changed(MATCH, `${MATCH}    waivers: [{ rule: advice, reason: this is a sandbox }]\n`))
    expect(waived.filter(({ rule, path }) => rule === 'advice' && path.includes('deploy'))).toEqual([])
  })

  test('org_id counts as binding the customer', () => {
    expect(lint(VALID).filter(({ message }) => message.includes('owner id'))).toEqual([])
  })

  test.each([
    [
      'a reusable workload id',
      VALID.replace('provider: generic', 'provider: jenkins').replace(
        '    claims: { project.id: project_uuid, ref.full: git_ref }\n',
        '',
      ) +
        '  jenkins:\n    from: in-house\n    match: { project.id: https://jenkins.acme.example/job/x }\n    identity: /jenkins/x\n    issue: [{ type: access_token, audience: [https://x.example], scope: [x] }]\n',
      'reusable_workload',
      'project.id: https',
    ],
    ['a leaf the platform never says', changed(MATCH, `${MATCH}      phase: apply\n`), 'never_matches', 'phase'],
    [
      'an identity the platform never fills',
      changed('/ci/{project.id}', '/ci/{project.id}/{instance.image}'),
      'never_matches',
      'identity: /ci',
    ],
    [
      'a star in an exact value',
      changed('refs/heads/main', '[refs/heads/main, refs/heads/*]'),
      'wildcard_in_exact_value',
      'ref.full: [',
    ],
    ['an issuer nobody uses', VALID, 'unused_issuer', 'in-house:'],
    ['an empty inline key set', VALID, 'empty_keys', 'jwks: { inline'],
    [
      'only triggers under which foreign code may run',
      changed(MATCH, `${MATCH}      trigger.class: [pull_request, privileged_fork]\n`),
      'never_matches',
      'trigger.class',
    ],
    [
      'introspection of the whole tenant',
      changed(', introspects: [https://deploy.acme.example]', ''),
      'whole_tenant_introspect',
      '- { type: access_token',
    ],
    [
      'replay weaker than the platform allows',
      changed('org_id: "1234567"', 'org_id: "1234567"\n    replay: reuse'),
      'weaker_replay',
      'replay: reuse',
    ],
    [
      'foreign code allowed',
      changed(
        MATCH,
        `${MATCH}    untrusted_source: allow\n    waivers: [{ rule: untrusted_source, reason: previews are public }]\n`,
      ),
      'untrusted_source',
      'untrusted_source: allow',
    ],
    [
      'two entries for one audience',
      changed(
        '        ttl: 10m\n',
        '        ttl: 10m\n      - { type: access_token, audience: [https://deploy.acme.example], scope: [other] }\n',
      ),
      'ambiguous_entries',
      '- { type: access_token',
    ],
  ])('%s', (_name, text, rule, at) => {
    expect(rules(text).map((each) => each.split(':')[0])).toContain(rule)
    expect(
      lint(text)
        .filter((warning) => warning.rule === rule)
        .map(({ line }) => line),
    ).toContain(rule === 'whole_tenant_introspect' ? lineOf(text, 'scope: [introspect') : lineOf(text, at))
  })

  test('the example of the design names nothing that is not issued here', () => {
    const sections = lint(DESIGN_EXAMPLE).filter(({ rule }) => rule === 'not_issued_here')
    expect(sections).toEqual([])
  })

  test('a receiver that polls, and no grant with which anybody could', () => {
    const polls = `${VALID}receivers:\n  inner: { type: poll }\n`
    expect(rules(polls)).toContainEqual(expect.stringMatching(/^nobody_polls/))
    const issuing = polls.replace(
      '        ttl: 10m\n',
      '        ttl: 10m\n      - { type: access_token, audience: [https://sts.example.com/t/acme], scope: ["receive:inner"] }\n',
    )
    expect(rules(issuing)).not.toContainEqual(expect.stringMatching(/^nobody_polls/))
  })

  test('a collector that is believed without its indexer is said to be so', () => {
    const sink = (more: string) =>
      `${VALID}sinks:\n  siem: { type: splunk-hec, url: https://siem.acme.example, token: { file: acme/hec }${more} }\n`
    expect(rules(sink(', acknowledgement: none'))).toContainEqual(expect.stringMatching(/^not_acknowledged/))
    expect(rules(sink(''))).not.toContainEqual(expect.stringMatching(/^not_acknowledged/))
  })

  const ROLE = 'role: "arn:aws:iam::444455556666:role/mintmark/t/acme/deployer"'
  const withEntries = (...entries: string[]) =>
    changed(
      '        ttl: 10m\n',
      `        ttl: 10m\n${entries.map((entry) => `      - { type: aws-credentials, ${entry} }\n`).join('')}`,
    )
  const said = (text: string, baseUrl = COMPILE.baseUrl) => {
    const { tenants } = loadTexts([text], { baseUrl })
    return lintTenant(tenants[0]!, PROVIDER_CATALOG).filter(
      ({ rule }) => rule === 'not_issued_here' || rule === 'ambiguous_entries',
    )
  }

  test('a role is issued by every broker AWS can verify, and not said to be where it cannot', () => {
    expect(said(withEntries(ROLE))).toEqual([])
    expect(said(withEntries(`${ROLE}, via: assume-role`))).toMatchObject([{ rule: 'not_issued_here' }])
    expect(said(withEntries(ROLE), 'https://sts.example.com:8443')).toMatchObject([{ rule: 'not_issued_here' }])
  })

  test('two roles of one account need names: a request could not tell them apart', () => {
    expect(said(withEntries(ROLE, ROLE))).toMatchObject([{ rule: 'ambiguous_entries' }])
    expect(said(withEntries(`${ROLE}, audience: [read]`, `${ROLE}, audience: [write]`))).toEqual([])
  })
})
