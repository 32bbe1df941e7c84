// `--anchor PLACE`: a file of another user, or a witness with its verifier key, URL#KEY (C2SP). What is wrong with a place is said
// as an operator reads it; what only the file itself can say is asked of `fileProblem`.
import { parseWitnessKey, type WitnessKey } from '../domain/tlog/cosignature.ts'
import type { Sha256 } from '../domain/tlog/merkle.ts'

export type AnchorPlace =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'witness'; readonly url: string; readonly key: WitnessKey }

/** Why the file is no anchor, or only half of one; null: nothing is known against it. */
type FileProblem = (path: string) => 'cannot_append' | 'own_file' | null
type Host = { readonly sha256: Sha256; readonly fileProblem: FileProblem }

const isUrl = (text: string): boolean => /^https?:\/\//.test(text)

/** Those that are files, by their paths. */
export const anchorFiles = (anchors: readonly string[]): readonly string[] => anchors.filter((text) => !isUrl(text))

/** Null: a URL without the verifier key of a witness (Ed25519) behind `#`. */
export const parseAnchor = (sha256: Sha256, text: string): AnchorPlace | null => {
  if (!isUrl(text)) return { kind: 'file', path: text }
  const at = text.indexOf('#')
  const key = at < 0 ? null : parseWitnessKey(sha256, text.slice(at + 1))
  return key === null ? null : { kind: 'witness', url: text.slice(0, at), key }
}

/** What keeps the broker from starting with these anchors; null: nothing. */
export const anchorsProblem = ({ sha256, fileProblem }: Host, anchors: readonly string[]): string | null => {
  for (const text of anchors) {
    const place = parseAnchor(sha256, text)
    if (place === null)
      return `--anchor ${text.split('#')[0]} needs the verifier key of the witness: URL#<name>+<id>+<key>`
    if (place.kind === 'file' && fileProblem(place.path) === 'cannot_append')
      return `--anchor ${place.path} is no file that can be appended to: its owner makes it, and lets this user append`
  }
  return null
}

/** What an operator ought to know of them, each time the broker starts. */
export const anchorWarnings = ({ sha256, fileProblem }: Host, anchors: readonly string[]): readonly string[] => {
  if (anchors.length === 0)
    return ['WARNING: no --anchor: who holds this machine could write the audit logs anew, and nobody would notice']
  return anchors
    .filter((text) => parseAnchor(sha256, text)?.kind === 'file' && fileProblem(text) === 'own_file')
    .map((path) => `WARNING: --anchor ${path} is this user's own file: who holds the broker can overwrite it`)
}
