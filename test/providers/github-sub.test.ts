// Both forms of a GitHub `sub` (issuers.md §2.1), and that the hyphen form never yields ids.
import { expect, test } from 'vitest'
import { parseGithubSub } from '../../lib/providers/github-sub.ts'

test('reads the classic form of names', () => {
  expect(parseGithubSub('repo:acme/api:ref:refs/heads/main')).toEqual({
    form: 'classic',
    owner: 'acme',
    ownerId: null,
    repository: 'api',
    repositoryId: null,
    context: 'ref:refs/heads/main',
  })
})

test('reads the immutable form with ids', () => {
  expect(parseGithubSub('repo:acme@1234567/api@7654321:environment:production')).toEqual({
    form: 'immutable',
    owner: 'acme',
    ownerId: '1234567',
    repository: 'api',
    repositoryId: '7654321',
    context: 'environment:production',
  })
})

test('A4: takes no id out of the hyphen form, whose parts are registrable names', () => {
  expect(parseGithubSub('repo:acme-1234567/api-7654321:pull_request')).toMatchObject({
    form: 'classic',
    owner: 'acme-1234567',
    ownerId: null,
    repositoryId: null,
  })
})

test('keeps a colon of a branch or an environment in the context', () => {
  expect(parseGithubSub('repo:acme/api:environment:a:b/c:ref:x')?.context).toBe('environment:a:b/c:ref:x')
})

test.each([
  '',
  'repo:',
  'repo:acme/api',
  'repo:acme/api:',
  'repository_owner_id:1:repo:x',
  'repo:a@x/b@1:ref:y',
  'repo:a/b/c:ref:x',
])('gives null for a customised or broken sub: %s', (sub) => {
  expect(parseGithubSub(sub)).toBeNull()
})
