// The words presets are written in: sources of a leaf, and the few forms that several platforms share. Pure.
import type { ClaimRead, LeafSource } from '../domain/provider.ts'
import type { Mutability, WidValue } from '../domain/wid.ts'

type Text = string | null

/** A leaf that is one string claim. The claim is a top-level member name, or a path of names. */
export const claim = (name: string | readonly string[], mutability: Mutability): LeafSource => ({
  claim: pathOf(name),
  mutability,
})

/** A leaf that is one claim of another JSON type. */
export const typed = (
  name: string | readonly string[],
  as: NonNullable<ClaimRead['as']>,
  mutability: Mutability,
): LeafSource => ({ claim: pathOf(name), as, mutability })

/** A leaf worked out from string claims; `derive` gets them in order, null where missing. */
export const derived = (
  names: readonly (string | readonly string[])[],
  mutability: Mutability,
  derive: (...values: Text[]) => WidValue,
): LeafSource => ({
  reads: names.map((name) => ({ claim: pathOf(name) })),
  derive: (values) => derive(...values.map((value) => (typeof value === 'string' ? value : null))),
  mutability,
})

/** Two ids as `first/second`; null unless both are present and free of the delimiter (issuers.md A29: smuggling). */
export const joined = (names: readonly (string | readonly string[])[], mutability: Mutability): LeafSource =>
  derived(names, mutability, (...parts) =>
    parts.every((part) => part !== null && !part.includes('/')) ? parts.join('/') : null,
  )

const pathOf = (name: string | readonly string[]): readonly string[] => (typeof name === 'string' ? [name] : name)

/** The runner words of issuers.md §5.3; any other value is unknown, never hosted. */
const RUNNER_CLASSES: Readonly<Record<string, string>> = {
  'github-hosted': 'hosted',
  'gitlab-hosted': 'hosted',
  'buildkite-hosted': 'hosted',
  'codefresh-hosted': 'hosted',
  'platform-hosted': 'hosted',
  'self-hosted': 'self_hosted',
  hybrid: 'self_hosted',
}

/** `runner_environment` through the table above. */
export const runnerEnvironment: LeafSource = {
  claim: ['runner_environment'],
  values: RUNNER_CLASSES,
  mutability: 'mutable',
}

/** For platforms whose token does not say where it ran. */
export const runnerUnknown: LeafSource = { fixed: 'unknown', mutability: 'mutable' }

/** The kind of a full ref by its prefix; only for platforms without a type claim (issuers.md §5.3). */
export const refTypeOf = (ref: Text): Text => {
  if (ref === null) return null
  if (ref.startsWith('refs/heads/')) return 'branch'
  if (ref.startsWith('refs/tags/')) return 'tag'
  return ref.startsWith('refs/pull/') ? 'pull_request' : 'other'
}

/** What is left of a full ref without refs/heads/, refs/tags/ or refs/pull/; null for any other form. */
export const refNameOf = (ref: Text): Text => /^refs\/(?:heads|tags|pull)\/(.+)$/s.exec(ref ?? '')?.[1] ?? null

/**
 * Splits a definition reference at its LAST `@` into file and ref; null when the file part is not a file of this form.
 * A branch named `x@refs/tags/v3` must not lend its file the ref of a release (issuers.md §2.1).
 */
export const splitDefinition = (value: Text, file: RegExp): { readonly uri: string; readonly ref: string } | null => {
  const at = value?.lastIndexOf('@') ?? -1
  if (value === null || at < 1 || at === value.length - 1) return null
  const uri = value.slice(0, at)
  return file.test(uri) ? { uri, ref: value.slice(at + 1) } : null
}

/** The two leaves of a definition reference: the file, and the ref or commit it was taken from. */
export const definition = (name: string, file: RegExp): { readonly uri: LeafSource; readonly ref: LeafSource } => ({
  uri: derived([name], 'reusable', (value = null) => splitDefinition(value, file)?.uri ?? null),
  ref: derived([name], 'mutable', (value = null) => splitDefinition(value, file)?.ref ?? null),
})
