// Design §5: what is refused of a grant and of its identity at load, on which line and in which words.
import { test } from 'vitest'
import { changed, expectRefused, MATCH, type Row, withSecond } from '../support/tenant-documents.ts'

/** The grant `deploy`, with a role beside its token. */
const withRole = (more: string) =>
  changed(
    '        ttl: 10m\n',
    `        ttl: 10m\n      - { type: aws-credentials, role: "arn:aws:iam::444455556666:role/mintmark/t/acme/deployer", ${more} }\n`,
  )

const GRANTS: readonly Row[] = [
  ['a grant from no issuer', changed('from: github', 'from: gitlab'), 'from: gitlab', /there is no issuer "gitlab"/],
  ['a grant that binds no project id', changed('      project.id: "7654321"\n', ''), 'match:', /must bind project.id/],
  ['a project id bound by a pattern', changed('"7654321"', '{ glob: "7654*1" }'), 'match:', /must bind project.id/],
  ['a project id bound by not', changed('"7654321"', '{ not: "666" }'), 'match:', /must bind project.id/],
  ['a grant that binds no ref or environment', changed(MATCH, ''), 'match:', /must bind a ref or an environment/],
  [
    'a ref bound by not alone',
    changed('refs/heads/main', '{ not: refs/heads/dev }'),
    'match:',
    /must bind a ref or an environment/,
  ],
  [
    'a pattern that begins with a wildcard',
    changed('refs/heads/main', '{ glob: "*/main" }'),
    'glob',
    /must not begin with a wildcard/,
  ],
  [
    'a pattern on an identity leaf that ends open (A2)',
    changed(MATCH, `${MATCH}      project.path: { glob: "acme*" }\n`),
    'project.path',
    /must not end with a wildcard/,
  ],
  [
    'a pattern on an identity leaf that crosses a delimiter',
    changed(MATCH, `${MATCH}      project.path: { glob: "acme/**/api" }\n`),
    'project.path',
    /crosses "\/"/,
  ],
  [
    'a pattern on a workflow file that leaves open whose it is (A2)',
    changed(MATCH, `${MATCH}      workflow.uri: { glob: "acme*/ci/.github/workflows/release.yml" }\n`),
    'workflow.uri',
    /acme\*\/ may be a name of somebody else/,
  ],
  [
    'a pattern on a workflow file that crosses a delimiter',
    changed(MATCH, `${MATCH}      config.uri: { glob: "acme/**" }\n`),
    'config.uri',
    /crosses "\/"/,
  ],
  ['three stars', changed('refs/heads/main', '{ glob: "refs/***" }'), 'refs/***', /never three in a row/],
  [
    'a pattern behind not, too',
    changed(MATCH, `${MATCH}      ref.name: { not: { glob: "*x" } }\n`),
    'ref.name',
    /must not begin with a wildcard/,
  ],
  ['a leaf for the record', changed(MATCH, `${MATCH}      run.id: "1"\n`), 'run.id', /cannot be matched/],
  [
    'untrusted_source as a condition',
    changed(MATCH, `${MATCH}      untrusted_source: false\n`),
    'untrusted_source',
    /holds without being written/,
  ],
  [
    'a value outside the enum',
    changed(MATCH, `${MATCH}      trigger.class: [push, pushed]\n`),
    'trigger.class',
    /is one of push/,
  ],
  [
    'a pattern on an enum',
    changed(MATCH, `${MATCH}      trigger.class: { glob: "pus*" }\n`),
    'trigger.class',
    /no pattern/,
  ],
  [
    'text where a boolean is meant',
    changed(MATCH, `${MATCH}      ref.protected: "true"\n`),
    'ref.protected',
    /without quotes/,
  ],
  ['a boolean where text is meant', changed('refs/heads/main', 'true'), 'ref.full: true', /ref.full is text/],
  ['an empty list', changed('refs/heads/main', '[]'), 'ref.full: []', /must not be empty/],
  ['ttl above the maximum', changed('ttl: 10m', 'ttl: 61m'), 'ttl: 61m', /1h at most/],
  ['ttl in no unit', changed('ttl: 10m', 'ttl: 600'), 'ttl: 600', /such as 30s, 10m or 1h/],
  [
    'an audience of another tenant of ours',
    changed('https://deploy.acme.example]\n', 'https://sts.example.com/t/globex]\n'),
    '/t/globex',
    /only https:\/\/sts.example.com\/t\/acme/,
  ],
  [
    'an access token for cloud federation',
    changed('[https://deploy.acme.example]\n', '[sts.amazonaws.com]\n'),
    'sts.amazonaws',
    /reserved to cloud federation/,
  ],
  ['a scope with a space', changed('scope: [deploy]', 'scope: ["a b"]'), '"a b"', /no spaces/],
  [
    'untrusted_source: allow without a waiver',
    changed(MATCH, `${MATCH}    untrusted_source: allow\n`),
    'untrusted_source',
    /needs waivers/,
  ],
  [
    'a waiver without a reason',
    changed(MATCH, `${MATCH}    waivers: [{ rule: advice }]\n`),
    'waivers',
    /"reason" is missing/,
  ],
  [
    'a role outside the path of the tenant',
    changed(
      '- type: access_token\n        audience: [https://deploy.acme.example]\n        scope: [deploy]\n        ttl: 10m',
      '- { type: aws-credentials, role: "arn:aws:iam::444455556666:role/admin" }',
    ),
    'role/admin',
    /\/mintmark\/t\/acme\//,
  ],
  ['a session of five minutes', withRole('ttl: 5m'), 'ttl: 5m', /15m at least/],
  ['a session of two hours', withRole('ttl: 2h'), 'ttl: 2h', /1h at most/],
  ['an audience of the cloud itself', withRole('audience: [sts.amazonaws.com]'), 'sts.amazonaws', /reserved to cloud/],
  [
    "a session for the tenant's own audience",
    withRole('audience: [https://sts.example.com/t/acme]'),
    '/t/acme]',
    /only https:\/\/sts.example.com\/t\/acme\/aws\/444455556666/,
  ],
  [
    'an access token for the audience of a session',
    changed('audience: [https://deploy.acme.example]', 'audience: [https://sts.example.com/t/acme/aws/444455556666]'),
    'aws/444455556666',
    /of this broker's own URLs only/,
  ],
  [
    'one audience for two kinds of credential',
    withRole('audience: [https://deploy.acme.example]'),
    '- { type: aws',
    /deploy.acme.example is the audience of access_token in this tenant/,
  ],
  [
    'introspects without the scope',
    changed('scope: [introspect]', 'scope: [read]'),
    'introspects',
    /only with scope introspect/,
  ],
]

test.each(GRANTS)('refused: %s', (...row) => expectRefused(row))

const IDENTITIES: readonly Row[] = [
  [
    'an identity with a character that would be encoded',
    changed('/ci/{project.id}', '/ci/a b'),
    'identity: /ci/a b',
    /has "a b"/,
  ],
  ['an identity with a dot segment', changed('/ci/{project.id}', '/ci/../x'), 'identity: /ci/..', /segment "\.\."/],
  ['an identity with an unknown leaf', changed('/ci/{project.id}', '/ci/{project.ib}'), 'project.ib', /no such leaf/],
  ['a relative identity', changed('/ci/{project.id}', 'ci/{project.id}'), 'identity: ci', /must begin with "\/"/],
  [
    'one identity for two projects',
    withSecond('/ops/{environment.name}').replace('identity: /ci/{project.id}', 'identity: /ops/deploy'),
    'identity: /ops/{env',
    /grant "deploy"|grant "reader"/,
  ],
  [
    'one identity for two issuers',
    withSecond('/ops/reader'),
    'identity: /ops/reader\n    issue: [',
    /could both be \/ops\/reader/,
  ],
  [
    'a placeholder that can spell another grant',
    withSecond('/ops/{environment.name}'),
    'identity: /ops/{',
    /"reader" could both be \/ops\//,
  ],
  [
    'a list of projects under one identity',
    changed('"7654321"', '["7654321", "1"]').replace('/ci/{project.id}', '/ci/all'),
    'identity: /ci/all',
    /two workloads of this grant/,
  ],
  [
    'values that run together',
    withSecond('/ci/{project.id}{environment.name}', '{ project.id: "765", environment.name: ["4321", x] }'),
    'identity: /ci/{project.id}{',
    /could both be \/ci\/7654321/,
  ],
]

test.each(IDENTITIES)('refused: %s', (...row) => expectRefused(row))
