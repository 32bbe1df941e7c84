// The words presets are written in: what a definition reference splits into, and what joined ids may not contain.
import { expect, test } from 'vitest'
import type { LeafSource } from '../../lib/domain/provider.ts'
import type { WidValue } from '../../lib/domain/wid.ts'
import { joined, refNameOf, refTypeOf, splitDefinition } from '../../lib/providers/leaf-sources.ts'

const FILE = /^[^/]+\/[^/]+\/\.github\/workflows\/[^/]+\.ya?ml$/

test('splits at the last @: a file name may contain one', () => {
  expect(splitDefinition('a/b/.github/workflows/x@2.yml@refs/tags/v1', FILE)).toEqual({
    uri: 'a/b/.github/workflows/x@2.yml',
    ref: 'refs/tags/v1',
  })
})

test('takes a commit instead of a ref', () => {
  expect(splitDefinition('a/b/.github/workflows/x.yml@1f0c9d3e', FILE)?.ref).toBe('1f0c9d3e')
})

test.each([
  null,
  '',
  '@',
  '@refs/tags/v1',
  'a/b/.github/workflows/x.yml',
  'a/b/.github/workflows/x.yml@',
  'a/b/.github/workflows/x.yml@refs/heads/y.yml@refs/tags/v1',
  'a/b/.github/workflows/x/y.yml@refs/tags/v1',
  'a/b/c/.github/workflows/x.yml@refs/tags/v1',
  'dynamic/github-code-scanning/codeql@refs/heads/main',
])('gives nothing rather than a wrong file: %j', (value) => {
  expect(splitDefinition(value, FILE)).toBeNull()
})

const derive = (source: LeafSource, values: readonly WidValue[]): WidValue => {
  if (!('derive' in source)) throw new Error('not derived')
  return source.derive(values)
}

test('A29: joined ids are null unless all are there and none holds the delimiter', () => {
  const source = joined(['space', 'stack'], 'reusable')
  expect(derive(source, ['prod', 'api'])).toBe('prod/api')
  expect(derive(source, ['prod/api', 'x'])).toBeNull()
  expect(derive(source, ['prod', 'api/x'])).toBeNull()
  expect(derive(source, [null, 'api'])).toBeNull()
  expect(derive(source, ['prod', null])).toBeNull()
})

test.each([
  [null, null, null],
  ['refs/heads/a/b', 'branch', 'a/b'],
  ['refs/tags/v1', 'tag', 'v1'],
  ['refs/pull/7/merge', 'pull_request', '7/merge'],
  ['refs/headsmain', 'other', null],
  ['main', 'other', null],
  ['refs/heads/', 'branch', null],
] as const)('ref %j is of type %j and named %j', (ref, type, name) => {
  expect(refTypeOf(ref)).toBe(type)
  expect(refNameOf(ref)).toBe(name)
})
