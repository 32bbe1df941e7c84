// The path of a SPIFFE ID: text with `{leaf}` in it (design §5). A segment that is null, empty, `.` or `..`, or has any other
// character than [A-Za-z0-9._-] gives no identity at all; nothing is encoded or case-folded, so two workloads can never
// meet in one path by way of normalization (A29). Pure.
import { LIMITS } from './limits.ts'
import type { IdentityPart } from './tenant-config.ts'
import { isWidLeaf, WID_LEAVES, type Wid } from './wid.ts'

const SEGMENT = /^[A-Za-z0-9._-]+$/

/** SPIFFE-ID §2.3: 2048 bytes for the whole id; the trust domain has at most 255 of them. */
const PATH_CHARS_MAX = 1_700

/** A template, or what is wrong with it in words. */
export const parseIdentityTemplate = (
  template: string,
):
  | { readonly ok: true; readonly segments: readonly (readonly IdentityPart[])[] }
  | { readonly ok: false; readonly problem: string } => {
  const no = (problem: string) => ({ ok: false as const, problem })
  if (template.length > LIMITS.patternCharsMax) return no(`is longer than ${LIMITS.patternCharsMax} characters`)
  if (!template.startsWith('/')) return no('must begin with "/"')
  const segments: IdentityPart[][] = []
  for (const text of template.slice(1).split('/')) {
    if (text === '') return no('has an empty segment ("//", or "/" at its end)')
    const parts: IdentityPart[] = []
    for (const piece of text.split(/(\{[^{}]*\})/)) {
      if (piece === '') continue
      if (!piece.startsWith('{')) {
        if (!SEGMENT.test(piece)) return no(`has "${piece}": a segment is made of A-Z a-z 0-9 . _ - and {leaf}`)
        parts.push({ literal: piece })
        continue
      }
      const leaf = piece.slice(1, -1)
      if (!isWidLeaf(leaf)) return no(`has "${piece}": there is no such leaf in wid/1`)
      if (WID_LEAVES[leaf].type !== 'string') return no(`has "${piece}": a leaf that is true or false names nothing`)
      parts.push({ leaf })
    }
    if (parts.every((part) => 'literal' in part) && (text === '.' || text === '..'))
      return no(`has the segment "${text}"`)
    segments.push(parts)
  }
  return { ok: true, segments }
}

/** The path for one workload, or null when any segment is null or unusable. */
export const identityPath = (segments: readonly (readonly IdentityPart[])[], wid: Wid): string | null => {
  let path = ''
  for (const parts of segments) {
    let segment = ''
    for (const part of parts) {
      const text = 'literal' in part ? part.literal : wid[part.leaf]
      if (typeof text !== 'string' || !SEGMENT.test(text)) return null
      segment += text
    }
    if (segment === '.' || segment === '..') return null
    path += `/${segment}`
  }
  return path.length > PATH_CHARS_MAX ? null : path
}
