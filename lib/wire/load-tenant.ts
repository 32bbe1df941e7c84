// Text to tenant document: YAML 1.2 without what makes YAML surprising (anchors, aliases, tags, merge keys, duplicate or
// non-text keys), then the strict schema. Every problem has file, line and column and says what to write instead. The only
// importer of `yaml` here. JSON is YAML: a stored document comes back through the same door.
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml'
import * as z from 'zod/mini'
import { LIMITS } from '../domain/limits.ts'
import { tenantDocumentSchema } from './tenant-document.ts'
import type { DocumentPath, LoadedTenant, TenantProblem } from './tenant-problem.ts'

// The words of problems: mini brings none, so that the functions, which show nobody a problem of a document, carry none.
z.config(z.locales.en())

export type LoadResult =
  | { readonly ok: true; readonly loaded: LoadedTenant }
  | { readonly ok: false; readonly problems: readonly TenantProblem[] }

/** What follows the first errors of a broken text is noise. */
const YAML_PROBLEMS_MAX = 5

type Place = { readonly line: number; readonly column: number }

export type YamlSource = { readonly file: string; readonly text: string }

/** Reads one tenant document. Problems are all that could be found in one pass. Design §5. */
export const loadTenant = (source: YamlSource): LoadResult => {
  const read = readYamlDocument(source, tenantDocumentSchema)
  return read.ok ? { ok: true, loaded: { file: source.file, document: read.value, problemAt: read.problemAt } } : read
}

type ReadResult<T> =
  | { readonly ok: true; readonly value: T; readonly problemAt: LoadedTenant['problemAt'] }
  | { readonly ok: false; readonly problems: readonly TenantProblem[] }

/** Reads YAML text with any schema: policy tests come through here too. */
export const readYamlDocument = <T>({ file, text }: YamlSource, schema: z.ZodMiniType<T>): ReadResult<T> => {
  const first = (message: string): ReadResult<T> => ({
    ok: false,
    problems: [{ file, line: 1, column: 1, path: '', message }],
  })
  if (text.length > LIMITS.tenantDocumentBytesMax)
    return first(`the document is larger than ${LIMITS.tenantDocumentBytesMax} bytes`)
  const lines = new LineCounter()
  const parsed = parse(text, lines)
  if (parsed === null) return first('the document is nested too deeply')
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const at = (offset: number, path: string, message: string): TenantProblem => ({
    file,
    ...placeOf(offset),
    path,
    message,
  })
  // What replaces bytes that are no UTF-8 would be matched, and never match.
  const broken = text.indexOf('\ufffd')
  if (broken >= 0) return { ok: false, problems: [at(broken, '', 'this is not UTF-8')] }
  const yamlProblems = [...parsed.errors, ...parsed.warnings].map((error) =>
    at(error.pos[0], '', yamlMessage(error.code, error.message)),
  )
  if (yamlProblems.length > 0) return { ok: false, problems: yamlProblems.slice(0, YAML_PROBLEMS_MAX) }
  if (parsed.contents === null) return first('the document is empty')
  const surprises = surprisesOf(parsed).map(({ offset, message }) => at(offset, '', message))
  if (surprises.length > 0) return { ok: false, problems: surprises }

  const problemAt = (path: DocumentPath, message: string): TenantProblem =>
    at(offsetOf(parsed, path), path.join(' › '), message)
  const checked = schema.safeParse(parsed.toJS({ maxAliasCount: 0 }))
  if (checked.success) return { ok: true, value: checked.data, problemAt }
  return {
    ok: false,
    problems: checked.error.issues
      .flatMap((issue) => flatten(issue, []))
      .map(({ path, message }) =>
        problemAt(path, SAYS_IT_ALL.test(message) ? message : (adviseQuotes(parsed, path) ?? message)),
      ),
  }
}

const parse = (text: string, lineCounter: LineCounter): Document.Parsed | null => {
  try {
    return parseDocument(text, {
      lineCounter,
      version: '1.2',
      schema: 'core',
      merge: false,
      uniqueKeys: true,
      strict: true,
      prettyErrors: false,
    })
  } catch (error) {
    // The composer is recursive: ten thousand open brackets exhaust its stack.
    if (error instanceof RangeError) return null
    throw error
  }
}

const yamlMessage = (code: string, message: string): string => {
  if (code === 'DUPLICATE_KEY') return 'this key is there twice'
  if (code === 'MULTIPLE_DOCS') return 'a file holds one document'
  return message.charAt(0).toLowerCase() + message.slice(1)
}

type Surprise = { readonly offset: number; readonly message: string }

/** What YAML allows and a reviewer does not see: refused, so that the text says what it means where it says it. */
const surprisesOf = (document: Document.Parsed): Surprise[] => {
  const found: Surprise[] = []
  const start = (node: Node) => node.range?.[0] ?? 0
  visit(document, {
    Alias: (_key, node) =>
      void found.push({ offset: start(node), message: 'aliases are refused: write the value out' }),
    Node: (_key, node) => {
      if (!isAlias(node) && node.anchor !== undefined)
        found.push({ offset: start(node), message: 'anchors are refused: write the value out' })
      if (node.tag !== undefined && !isCoreTag(node.tag, node))
        found.push({ offset: start(node), message: `the tag ${node.tag} is refused` })
    },
    Pair: (_key, { key }) => {
      if (!isNode(key)) return
      if (isScalar(key) && key.value === '<<')
        found.push({ offset: start(key), message: 'merge keys are refused: write the keys out' })
      // A schema that writes such a key anew would set a prototype, so it leaves it out: silently, where it is one of many.
      else if (isScalar(key) && key.value === '__proto__')
        found.push({ offset: start(key), message: 'a key is never named __proto__' })
      else if (!isScalar(key)) found.push({ offset: start(key), message: 'a key must be text' })
      else if (typeof key.value !== 'string')
        found.push({
          offset: start(key),
          message: `a key must be text: write it in quotes: "${key.source ?? key.value}"`,
        })
    },
  })
  return found
}

/** Collections and plain scalars know their own tag; only a written one is a surprise. */
const isCoreTag = (tag: string, node: unknown): boolean =>
  (isMap(node) && tag === 'tag:yaml.org,2002:map') || (isSeq(node) && tag === 'tag:yaml.org,2002:seq')

/** Offset of the key the path ends in, of the item, or of the nearest ancestor that exists. */
const offsetOf = (document: Document.Parsed, path: DocumentPath): number => {
  let node: unknown = document.contents
  let offset = document.contents?.range?.[0] ?? 0
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === step)
      if (pair === undefined) return offset
      offset = isNode(pair.key) ? (pair.key.range?.[0] ?? offset) : offset
      node = pair.value
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step]
      if (!isNode(node)) return offset
      offset = node.range?.[0] ?? offset
    } else return offset
  }
  return offset
}

/** A length of time may be a number, and quotes make no unknown key known. */
const SAYS_IT_ALL = /^(?:a length of time|unknown key)/

/** 1234567 is a number in YAML and an id is text: the commonest mistake gets the answer, not the type error. */
const adviseQuotes = (document: Document.Parsed, path: DocumentPath): string | null => {
  const node = document.getIn(path, true)
  if (!isScalar(node) || node.source === undefined) return null
  return typeof node.value === 'number' ? `this is a number: write it in quotes: "${node.source}"` : null
}

type Flat = { readonly path: DocumentPath; readonly message: string }

const flatten = (issue: z.core.$ZodIssue, base: DocumentPath): Flat[] => {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], message: `unknown key "${key}"` }))
    case 'invalid_key':
      return [{ path, message: issue.issues[0]?.message ?? 'this key is not allowed here' }]
    case 'invalid_type':
      return [
        {
          path,
          message: issue.message.includes('received undefined')
            ? `"${String(path.at(-1))}" is missing`
            : plain(issue.message),
        },
      ]
    case 'invalid_union': {
      // Of the alternatives, the one that got past its own type is what was meant.
      const meant = issue.errors.find((errors) =>
        errors.every(
          (inner) =>
            inner.path.length > 0 || inner.code === 'custom' || inner.code === 'too_small' || inner.code === 'too_big',
        ),
      )
      return meant === undefined || meant.length === 0
        ? [{ path, message: issue.message }]
        : meant.flatMap((inner) => flatten(inner, path))
    }
    default:
      return [{ path, message: plain(issue.message) }]
  }
}

const plain = (message: string): string =>
  message
    .replace(/^Invalid (?:input|option|value): /, '')
    .replace(/^Too small: /, '')
    .replace(/^Too big: /, '')
