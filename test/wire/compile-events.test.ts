// `events:` of a tenant document: what it becomes, and what is refused at load because it could never become a predicate.
import { describe, expect, test } from 'vitest'
import { REVOCATION_KINDS } from '../../lib/domain/revocation.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { lintTenant } from '../../lib/wire/lint-tenant.ts'
import { DESIGN_EXAMPLE, loadTexts, VALID } from '../support/tenant-documents.ts'

const withEvents = (yaml: string): string => `${VALID}events:\n  idp:\n${yaml}`
const source = (on: string, more = ''): string =>
  withEvents(`    issuer: https://idp.acme.example\n${more}    on: ${on}\n`)
const compiled = (text: string) => {
  const { tenants, problems } = loadTexts([text])
  expect(problems).toEqual([])
  return tenants[0]!
}

test('the example of the design: transmitter, event and subject format to a kind, as a block', () => {
  expect(compiled(DESIGN_EXAMPLE).config.events).toMatchObject([
    {
      kind: 'set',
      name: 'idp',
      issuer: 'https://idp.acme.example',
      audience: 'https://sts.example.com/t/acme/events',
      keys: { kind: 'url', url: 'https://idp.acme.example/keys' },
      authorization: null,
      rules: [
        {
          event: 'session-revoked',
          member: null,
          subject: 'opaque',
          kind: 'subject',
          issuer: '',
          iss: '',
          form: 'block',
        },
      ],
    },
  ])
})

test('left out: the audience is <issuer URL>/events, the keys are discovered, weak algorithms are not among the default', () => {
  const [event] = compiled(source('{}')).config.events
  expect(event).toMatchObject({
    audience: 'https://sts.example.com/t/acme/events',
    keys: { kind: 'discovery', issuer: 'https://idp.acme.example' },
    algorithms: ['RS256', 'PS256', 'ES256'],
  })
})

test('rules keep their order, and each its own issuer and action', () => {
  const rules =
    '{ session-revoked: [{ member: session, subject: opaque, revoke: run, issuer: github }, { subject: iss_sub, revoke: actor, issuer: in-house, action: cut }] }'
  const [event] = compiled(source(rules)).config.events
  expect(event).toMatchObject({
    rules: [
      { member: 'session', kind: 'run', issuer: 'github', iss: '', form: 'block' },
      { member: null, kind: 'actor', issuer: 'in-house', iss: 'https://ci.acme.example', form: 'cut' },
    ],
  })
})

test('a subject with an issuer, of a kind without one, is of the tenant itself', () => {
  const [event] = compiled(source('{ account-disabled: { subject: iss_sub, revoke: subject } }')).config.events
  expect(event).toMatchObject({ rules: [{ iss: 'https://sts.example.com/t/acme' }] })
})

test('every kind of revocation can be mapped to from some subject', () => {
  const scoped = (kind: string) =>
    REVOCATION_KINDS[kind as keyof typeof REVOCATION_KINDS].scoped ? ', issuer: github' : ''
  for (const kind of Object.keys(REVOCATION_KINDS))
    compiled(source(`{ session-revoked: { subject: opaque, revoke: ${kind}${scoped(kind)} } }`))
})

describe('refused at load', () => {
  const rule = (text: string): string => source(`{ session-revoked: ${text} }`)
  const github = (more: string): string => withEvents(`    type: github\n${more}`)
  test.each<[name: string, text: string, message: RegExp]>([
    [
      'an event nobody can map',
      source('{ session-revokd: { subject: opaque, revoke: subject } }'),
      /unknown key "session-revokd"/,
    ],
    [
      'an event of the stream itself',
      source('{ verification: { subject: opaque, revoke: subject } }'),
      /unknown key "verification"/,
    ],
    [
      'a key set behind a query, which would never be fetched',
      source('{}', '    jwks: { url: "https://idp.acme.example/keys?x=1" }\n'),
      /key set URL must not have a query/,
    ],
    [
      'keys to be discovered at an address',
      withEvents('    issuer: https://10.0.0.1\n    on: {}\n'),
      /discovered at must name its host by DNS/,
    ],
    ['an e-mail as SPIFFE ID', rule('{ subject: email, revoke: subject }'), /subject is never named by email/],
    [
      'a phone number as credential',
      rule('{ subject: phone_number, revoke: credential }'),
      /credential is never named by phone_number/,
    ],
    ['a jwt_id as run', rule('{ subject: jwt_id, revoke: run, issuer: github }'), /jwt_id names a credential/],
    [
      'a cut of what is always a block',
      rule('{ subject: opaque, revoke: run, issuer: github, action: cut }'),
      /run is always a block/,
    ],
    ['no issuer where the tenant has two', rule('{ subject: opaque, revoke: run }'), /write issuer:/],
    [
      'an issuer that is not there',
      rule('{ subject: opaque, revoke: run, issuer: gitlab }'),
      /there is no issuer "gitlab"/,
    ],
    [
      'an issuer for a kind without one',
      rule('{ subject: opaque, revoke: grant, issuer: github }'),
      /grant is not named with an issuer/,
    ],
    ['an unknown member', rule('{ member: owner, subject: opaque, revoke: grant }'), /./],
    ['an unknown key', rule('{ subject: opaque, revoke: grant, block: true }'), /unknown key "block"/],
    [
      'the audience of another tenant',
      source('{}', '    audience: https://sts.example.com/t/globex/events\n'),
      /audience must be/,
    ],
    ['an issuer without https', withEvents('    issuer: http://idp.acme.example\n    on: {}\n'), /must be https/],
    ["another tenant's secret", source('{}', '    authorization: { file: globex/push }\n'), /only its own secrets/],
    ['an inline secret', source('{}', '    authorization: Bearer-x\n'), /inline secret/],
    [
      'a second source with the same iss',
      `${source('{}')}  twin:\n    issuer: https://idp.acme.example\n    on: {}\n`,
      /source "idp" has the same iss/,
    ],
    ['a webhook without its types of secret', github('    secret: { file: acme/hook }\n'), /secret_types/],
    [
      'a webhook whose issuer is not of GitHub',
      github('    secret: { file: acme/hook }\n    secret_types: [x]\n    issuer: in-house\n'),
      /no issuer of GitHub/,
    ],
    [
      "a webhook with another tenant's secret",
      github('    secret: { file: globex/hook }\n    secret_types: [x]\n'),
      /only its own secrets/,
    ],
  ])('%s', (_, text, message) => {
    const { problems, tenants } = loadTexts([text])
    expect(tenants).toEqual([])
    expect(problems.every(({ line }) => line > VALID.split('\n').length - 1)).toBe(true)
    expect(problems.map((problem) => problem.message).join('\n')).toMatch(message)
  })
})

describe('advice', () => {
  const warnings = (text: string) =>
    lintTenant(compiled(text), PROVIDER_CATALOG).flatMap(({ rule, path }) => (path.startsWith('events') ? [rule] : []))
  test('a source that maps nothing is warned of: its events would revoke nothing', () => {
    expect(warnings(source('{}'))).toEqual(['maps_nothing'])
  })
  test('a rule behind another for the same subjects is warned of: it never matches', () => {
    const twice = '{ session-revoked: [{ subject: opaque, revoke: subject }, { subject: opaque, revoke: grant }] }'
    expect(warnings(source(twice))).toEqual(['never_matches'])
  })
  test('an empty key set is warned of: nothing from it would ever verify', () => {
    expect(
      warnings(
        source('{ session-revoked: { subject: opaque, revoke: subject } }', '    jwks: { inline: { keys: [] } }\n'),
      ),
    ).toEqual(['empty_keys'])
  })
  test('the example of the design has no warning', () => {
    expect(warnings(DESIGN_EXAMPLE)).toEqual([])
  })
})
