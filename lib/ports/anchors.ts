// Where checkpoints are kept that the broker cannot take back (design §2): whoever can write its database and use its key cannot
// write these.
import type { Hash } from '../domain/tlog/merkle.ts'

export type AnchorAnswer =
  /** `note`: the checkpoint, with what the anchor added to it. */
  | { readonly kind: 'kept'; readonly note: string }
  /** It has seen the log at another size than it was told: prove growth from that one. */
  | { readonly kind: 'known'; readonly size: number }
  /** What it has seen is not the beginning of this. */
  | { readonly kind: 'disagrees' }
  /** It has answered, and not taken this: it is not set up for this log, perhaps. */
  | { readonly kind: 'not_kept' }
  /** It was not reached, for whatever log. */
  | { readonly kind: 'unreachable' }

export type AnchoredCheckpoint = {
  readonly tenant: string
  readonly size: number
  readonly note: string
  /** What the anchor is believed to have seen last, 0: nothing. */
  readonly seenSize: number
  /** From `seenSize` (RFC 6962 §2.1.2); empty where that is 0. */
  readonly proof: readonly Hash[]
}

export interface Anchor {
  /** As the operator wrote it, without the key: a path, or the URL of a witness. */
  readonly name: string
  add(checkpoint: AnchoredCheckpoint): Promise<AnchorAnswer>
}

export type AnchorRecord = {
  readonly anchor: string
  readonly size: number
  readonly note: string
  readonly atSeconds: number
}

/** What each anchor has kept last of each log. For whoever asks, never evidence: the broker writes it. */
export interface AnchorRecords {
  of(tenant: string): Promise<readonly AnchorRecord[]>
  put(tenant: string, record: AnchorRecord): Promise<void>
}
