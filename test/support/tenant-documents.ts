// Tenant documents for tests: one that is accepted, to be changed in one place, and the way through the real loader.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { loadTenants, type TenantSet } from '../../lib/wire/check-tenants.ts'
import type { CompileOptions } from '../../lib/wire/compile-tenant.ts'

export const COMPILE: CompileOptions = {
  baseUrl: 'https://sts.example.com',
  dev: false,
  catalog: PROVIDER_CATALOG,
  version: 1,
  sha256: (text) => createHash('sha256').update(text).digest('base64url'),
}

export const loadTexts = (texts: readonly string[], options: Partial<CompileOptions> = {}): TenantSet =>
  loadTenants(
    texts.map((text, index) => ({ file: `${String.fromCharCode(97 + index)}.yaml`, text })),
    { ...COMPILE, ...options },
  )

export const VALID = readFileSync(new URL('valid-tenant.yaml', import.meta.url), 'utf8')

/** The example of design §5, verbatim. */
export const DESIGN_EXAMPLE = readFileSync(new URL('design-example.yaml', import.meta.url), 'utf8')

export const lineOf = (text: string, marker: string): number => {
  const at = text.indexOf(marker)
  if (at === -1) throw new Error(`no ${marker} in the document`)
  return text.slice(0, at).split('\n').length
}

/** Changes the valid document in one place; the place must exist. */
export const changed = (from: string, to: string): string => {
  if (!VALID.includes(from)) throw new Error(`no ${from} in the valid document`)
  return VALID.replace(from, () => to)
}

export const MATCH = '      ref.full: refs/heads/main\n'
export const END_OF_GITHUB = '    org_id: "1234567"\n'
export const IN_HOUSE = '    issuer: https://ci.acme.example\n'
const SECOND = `  second:
    from: github
    match: { project.id: "1111", ref.full: refs/heads/main }
    identity: IDENTITY
    issue: [{ type: access_token, audience: [https://other.acme.example], scope: [x] }]
`
export const withSecond = (identity: string, match = '{ project.id: "1111", ref.full: refs/heads/main }') =>
  `${VALID}${SECOND.replace('IDENTITY', identity).replace('{ project.id: "1111", ref.full: refs/heads/main }', match)}`

/** name, document, text on the line the problem is reported at, message. */
export type Row = readonly [name: string, text: string, at: string, message: RegExp]

/** Refused, at the line of that text, in these words. */
export const expectRefused = ([, text, at, message]: Row): void => {
  const { problems, tenants } = loadTexts([text])
  expect(tenants).toEqual([])
  expect(problems.map(({ file, line }) => `${file}:${line}`)).toContain(`a.yaml:${lineOf(text, at)}`)
  const there = problems.filter(({ line }) => line === lineOf(text, at))
  expect(there.map((problem) => problem.message).join('\n')).toMatch(message)
  for (const problem of problems) expect(problem.column).toBeGreaterThan(0)
}
