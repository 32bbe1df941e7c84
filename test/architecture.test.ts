// Who may import whom (design §8, house style §4). The table is the architecture; a fixture proves that it bites.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')

type Row = {
  readonly from: readonly string[]
  readonly npm: readonly (string | RegExp)[]
  readonly typesOnly?: readonly string[]
  /** Packages of which it may name types and call nothing. */
  readonly npmTypes?: RegExp
  /** Single files of layers that are otherwise closed to it. */
  readonly files?: readonly string[]
}

/** layer -> the layers and packages it may import. `lib/adapters` means the same folder of adapters only. */
const TABLE: Readonly<Record<string, Row>> = {
  'lib/domain': { from: ['lib/domain'], npm: [] },
  'lib/ports': { from: ['lib/domain', 'lib/ports'], npm: [] },
  'lib/flows': { from: ['lib/domain', 'lib/ports', 'lib/flows'], npm: [] },
  'lib/wire': { from: ['lib/domain', 'lib/wire'], npm: ['zod/mini', 'yaml'] },
  'lib/providers': { from: ['lib/domain', 'lib/providers'], npm: [] },
  // For relying parties: no package at all, and of node: the one file that keeps a number on disk.
  'lib/verify': { from: ['lib/domain', 'lib/verify'], npm: ['node:fs/promises'] },
  'lib/client': { from: ['lib/domain', 'lib/client'], npm: [/^node:/] },
  'lib/adapters': {
    from: ['lib/domain', 'lib/ports', 'lib/wire', 'lib/adapters'],
    npm: [/^node:/, 'jose', 'ipaddr.js'],
  },
  'lib/adapters/aws': {
    from: ['lib/domain', 'lib/ports', 'lib/wire', 'lib/adapters/aws'],
    // S3 is three requests, signed by AWS's own signer.
    npm: [/^node:/, /^@aws-sdk\/client-/, /^@smithy\/(?:node-http-handler|signature-v4)$/],
  },
  'lib/adapters/otel': { from: ['lib/domain', 'lib/ports'], npm: [/^@opentelemetry\//] },
  'lib/edge': { from: ['lib/domain', 'lib/wire', 'lib/edge'], npm: [/^@middy\//, /^@aws-lambda-powertools\//] },
  'lib/config': { from: [], npm: [] },
  functions: {
    from: [
      'functions',
      'lib/flows',
      'lib/wire',
      'lib/adapters',
      'lib/adapters/aws',
      'lib/config',
      'lib/edge',
      'lib/providers',
    ],
    typesOnly: ['lib/domain', 'lib/ports'],
    npm: [],
    npmTypes: /^@aws-sdk\/client-/,
  },
  infra: {
    from: ['infra', 'lib/domain', 'lib/wire', 'lib/config'],
    // The one place that spells DynamoDB keys, so that policies and adapters do not disagree; and the presets, without
    // which no tenant document compiles.
    files: ['lib/adapters/aws/table-keys.ts', 'lib/providers/catalog.ts'],
    npm: [/^node:/],
  },
}

const LAYERS = Object.keys(TABLE)
/** The longest that fits: an adapter folder with a row of its own is not under that of all adapters. */
const layerOf = (path: string): string | null =>
  LAYERS.filter((layer) => path.startsWith(`${layer}/`)).sort((a, b) => b.length - a.length)[0] ?? null

type Import = { readonly specifier: string; readonly isType: boolean }

const importsOf = (source: string): Import[] =>
  [
    ...source.matchAll(
      /^\s*(?:import|export)\s+(type\s)?(?:[^'"\n]*?from\s+|[\s\S]{0,600}?\}\s*from\s+)?['"]([^'"]+)['"]/gm,
    ),
  ]
    .map((match) => ({ specifier: match[2]!, isType: match[1] !== undefined }))
    .concat(
      [...source.matchAll(/import\(\s*['"]([^'"]+)['"]/g)].map((match) => ({ specifier: match[1]!, isType: false })),
    )

/** Every import of `source` at `path` that the table does not allow. */
const violations = (path: string, source: string): string[] => {
  const layer = layerOf(path)
  if (layer === null) return []
  const row = TABLE[layer]!
  return importsOf(source).flatMap(({ specifier, isType }) => {
    if (!specifier.startsWith('.')) {
      const isAllowed = row.npm.some((name) => (typeof name === 'string' ? specifier === name : name.test(specifier)))
      return isAllowed || (isType && row.npmTypes?.test(specifier)) ? [] : [`${path} imports ${specifier}`]
    }
    const target = normalize(join(dirname(path), specifier))
    const to = layerOf(target)
    if (to === null) return [`${path} imports ${target}`]
    if (layer === 'lib/adapters' && to === 'lib/adapters' && dirname(target) !== dirname(path))
      return [`${path} imports another adapter: ${target}`]
    if (row.from.includes(to) || row.files?.includes(target)) return []
    return isType && row.typesOnly?.includes(to) ? [] : [`${path} imports ${target}`]
  })
}

const filesUnder = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))

const SOURCES = ['lib', 'functions', 'infra'].flatMap(filesUnder)

test('no source imports what its layer may not', () => {
  expect(SOURCES.length).toBeGreaterThan(40)
  expect(SOURCES.flatMap((path) => violations(path, readFileSync(join(ROOT, path), 'utf8')))).toEqual([])
})

test.each([
  ['lib/domain/planted.ts', `import { createHash } from 'node:crypto'`],
  ['lib/domain/planted.ts', `import type { Clock } from '../ports/clock.ts'`],
  ['lib/domain/planted.ts', `import {\n  a,\n  b,\n} from '../flows/exchange-token.ts'`],
  ['lib/domain/planted.ts', `import '../wire/form.ts'`],
  ['lib/flows/planted.ts', `import { x } from '../adapters/memory/rate-limiter.ts'`],
  ['lib/flows/planted.ts', `import { x } from '../wire/form.ts'`],
  ['lib/flows/planted.ts', `const z = await import('zod')`],
  ['lib/wire/planted.ts', `import { x } from '../ports/clock.ts'`],
  ['lib/adapters/memory/planted.ts', `import { x } from '../sqlite/database.ts'`],
  ['lib/adapters/keys/planted.ts', `import { KMSClient } from '@aws-sdk/client-kms'`],
  ['lib/adapters/keys/planted.ts', `import { x } from '../aws/kms-call.ts'`],
  ['lib/adapters/aws/planted.ts', `import { x } from '../keys/public-key.ts'`],
  ['lib/adapters/sqlite/planted.ts', `import { trace } from '@opentelemetry/api'`],
  ['lib/edge/planted.ts', `import { x } from '../flows/exchange-token.ts'`],
  ['lib/providers/planted.ts', `import { z } from 'zod'`],
  ['lib/verify/planted.ts', `import { jwtVerify } from 'jose'`],
  ['lib/verify/planted.ts', `import { x } from '../wire/metadata.ts'`],
  ['functions/attest/planted.ts', `import { gcra } from '../../lib/domain/gcra.ts'`],
  ['functions/attest/planted.ts', `import { KMSClient } from '@aws-sdk/client-kms'`],
  ['lib/config/planted.ts', `import * as z from 'zod'`],
  ['lib/wire/planted.ts', `import { x } from '../../bin/mintmark.ts'`],
  ['infra/planted.ts', `import { x } from '../lib/adapters/aws/dynamo-request.ts'`],
  ['infra/policies/planted.ts', `import { x } from '../../lib/flows/exchange-token.ts'`],
  ['lib/domain/planted.ts', `import { x } from '../../infra/names.ts'`],
])('the table bites: %s may not say %s', (path, source) => {
  expect(violations(path, source)).toHaveLength(1)
})

/** Files that reach each other through imports, those of types included: a path that ends where it began, or null. */
const circleIn = (imports: ReadonlyMap<string, readonly string[]>): readonly string[] | null => {
  const done = new Set<string>()
  const walk = (path: readonly string[]): readonly string[] | null => {
    const at = path.at(-1)!
    const begun = path.indexOf(at)
    if (begun < path.length - 1) return path.slice(begun)
    if (done.has(at)) return null
    for (const next of imports.get(at) ?? []) {
      const circle = walk([...path, next])
      if (circle !== null) return circle
    }
    done.add(at)
    return null
  }
  for (const start of imports.keys()) {
    const circle = walk([start])
    if (circle !== null) return circle
  }
  return null
}

test('no import goes in a circle, not of a type either', () => {
  const files = [...SOURCES, ...['bin', 'scripts', 'bench', 'test'].flatMap(filesUnder)]
  const targetsOf = (path: string): string[] =>
    importsOf(readFileSync(join(ROOT, path), 'utf8'))
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => normalize(join(dirname(path), specifier)))
  const imports = new Map(files.map((path) => [path, targetsOf(path)]))
  expect(circleIn(imports)).toBeNull()
  expect(circleIn(new Map([...imports, ['lib/domain/result.ts', ['lib/domain/json.ts']]]))).toEqual(
    expect.arrayContaining(['lib/domain/result.ts', 'lib/domain/json.ts']),
  )
})

test('domain is pure: no clock, randomness, Buffer, process or console', () => {
  const impure =
    /\b(Date\.now|new Date\(|Math\.random|Buffer\.|(?<!')process\.|console\.|setTimeout|globalThis\.crypto|crypto\.(random|subtle))/
  const found = filesUnder('lib/domain').filter((path) =>
    impure.test(readFileSync(join(ROOT, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')),
  )
  expect(found).toEqual([])
  expect(impure.test('const t = Date.now()')).toBe(true)
})

test('there are no barrels, default exports or junk drawers', () => {
  const bad = SOURCES.filter(
    (path) =>
      /\/(index|utils|helpers|common)\.ts$/.test(path) ||
      /^export \*|^export default/m.test(readFileSync(join(ROOT, path), 'utf8')),
  )
  expect(bad).toEqual([])
})
