// Leaves of a log as lines of a file: written, read again from any part of it, and the file cut into parts for stretches of the log,
// so that several can be read at once.
import { createReadStream } from 'node:fs'
import { canonicalJson, oneLine } from '../../domain/canonical-json.ts'
import type { JsonValue } from '../../domain/claims.ts'
import type { StoredLeaf } from '../../ports/tenant-log.ts'

const PART_BYTES = 1024 * 1024
const NEWLINE = 10

/** A leaf as one line. */
export const leafLine = ({ index, salt, canonical }: StoredLeaf): string =>
  `{"index":${index},"salt":"${Buffer.from(salt).toString('base64')}","event":${oneLine(canonical)}}\n`

const HEAD = /^\{"index":(\d{1,15}),"salt":"([\w+/]{43}=)","event":(?=\{)/
const INDEX = /^\{"index":(\d{1,15}),/
const INDEX_CHARS_MAX = 26

/**
 * What is not such a line, or another leaf than it says, is for the verifier to find: it comes back as it is. So does the text of an
 * event that JSON escapes nothing of; any other is made anew. Null: it is no leaf, or one of two indices.
 */
const leafOfLine = (line: string): StoredLeaf | null => {
  const [head, at, saltText] = HEAD.exec(line) ?? []
  if (head !== undefined && saltText !== undefined && line.endsWith('}}') && !line.includes('\\'))
    return { index: Number(at), salt: Buffer.from(saltText, 'base64'), canonical: line.slice(head.length, -1) }
  try {
    const { index, salt, event } = JSON.parse(line) as { index: number; salt: string; event: JsonValue }
    if ((saidIndex(line) ?? index) !== index) return null
    return { index, salt: Buffer.from(salt, 'base64'), canonical: canonicalJson(event) }
  } catch {
    return null
  }
}

/** What a line begins with, which is all that the file is cut by. */
const saidIndex = (line: string): number | null => {
  const [, index] = INDEX.exec(line) ?? []
  return index === undefined ? null : Number(index)
}

/** Bytes of a file, from the first of a line to before the first of another. */
export type Lines = { readonly from: number; readonly to: number }

/** Leaf after leaf, as the lines lie. A line that is none, and not empty, comes too, with no number for its index: nobody wrote it. */
export const leafReader = (path: string, lines: Lines | undefined): (() => Promise<StoredLeaf | null>) => {
  const parts = textsOf(path, lines)
  let texts: readonly string[] = []
  let next = 0
  return async () => {
    for (;;) {
      while (next < texts.length) {
        const text = texts[next]!
        next += 1
        const leaf = leafOfLine(text)
        if (leaf !== null) return leaf
        if (text.trim() !== '') return { index: Number.NaN, salt: new Uint8Array(), canonical: text }
      }
      const { done, value } = await parts.next()
      if (done === true) return null
      texts = value
      next = 0
    }
  }
}

/** Those of a part of the file at a time: thousands of them are waited for no longer than one. */
async function* textsOf(path: string, lines: Lines | undefined): AsyncGenerator<readonly string[]> {
  if (lines !== undefined && lines.from === lines.to) return
  const range = lines === undefined ? {} : { start: lines.from, end: lines.to - 1 }
  let rest = ''
  for await (const part of createReadStream(path, { encoding: 'utf8', highWaterMark: PART_BYTES, ...range })) {
    const texts = (rest + part).split('\n')
    rest = texts.pop() ?? ''
    yield texts
  }
  yield [rest]
}

/** `last`: the line of the last leaf of the stretch, where there is one. */
export type Cut = { readonly lines: Lines; readonly last: Lines | null }

/**
 * Cuts for one stretch after the other, each given by the index it ends before: up to the first line of a leaf behind it, where
 * whoever reads leaf after leaf stops too.
 */
export const lineCutter = (path: string): ((before: number) => Promise<Cut>) => {
  const parts = markedLines(path)
  let marked: readonly MarkedLine[] = []
  let next = 0
  let from = 0
  let end = 0
  return async (before) => {
    let last: Lines | null = null
    for (;;) {
      for (; next < marked.length; next += 1) {
        const line = marked[next]!
        end = line.to
        if (line.index < before - 1 || !line.isLeaf()) continue
        if (line.index >= before) {
          const lines = { from, to: line.from }
          from = line.from
          return { lines, last }
        }
        last = { from: line.from, to: line.to }
      }
      const { done, value } = await parts.next()
      if (done === true) {
        const lines = { from, to: end }
        from = end
        return { lines, last }
      }
      marked = value
      next = 0
    }
  }
}

type MarkedLine = Lines & { readonly index: number; readonly isLeaf: () => boolean }

async function* markedLines(path: string): AsyncGenerator<readonly MarkedLine[]> {
  let bytes = Buffer.alloc(0)
  /** Where they begin in the file. */
  let at = 0
  for await (const part of createReadStream(path, { highWaterMark: PART_BYTES })) {
    bytes = Buffer.concat([bytes, part as Buffer])
    const marked: MarkedLine[] = []
    let from = 0
    for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
      marked.push(markedLine(bytes, { from, to: to + 1 }, at))
      from = to + 1
    }
    yield marked
    bytes = bytes.subarray(from)
    at += from
  }
  yield [markedLine(bytes, { from: 0, to: bytes.length }, at)]
}

/** No number for what is no leaf, and does not begin as one either. */
const markedLine = (bytes: Buffer, { from, to }: Lines, at: number): MarkedLine => {
  const leaf = () => leafOfLine(bytes.toString('utf8', from, bytes[to - 1] === NEWLINE ? to - 1 : to))
  return {
    from: at + from,
    to: at + to,
    index:
      saidIndex(bytes.toString('latin1', from, Math.min(to, from + INDEX_CHARS_MAX))) ?? leaf()?.index ?? Number.NaN,
    isLeaf: () => leaf() !== null,
  }
}
