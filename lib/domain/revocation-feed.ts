// The revocation feed of a tenant (design §6): pages of handles that are blocked, cut or lifted since a cursor, each page a JWS of
// its own type, signed by the signal key. A cursor counts the changes of the tenant's revocations, so does `seq`; a verifier
// that has applied every page up to `seq` knows all that was in force at `iat`. Pure.
import { LIMITS } from './limits.ts'
import type { Revocation, Selector } from './revocation.ts'
import type { OwnAlgorithm } from './signing-key.ts'

export const FEED_TYPE = 'mintmark-revocations+jwt'

/** 12 bytes in base64url: handles written one after another are the base64url of their bytes one after another. */
export const HANDLE_CHARS = 16

/** One revocation as it is now. Its place in the order moves to the end whenever it changes. */
export type FeedChange = Selector & Pick<Revocation, 'form' | 'notBeforeSeconds'> & { readonly isLifted: boolean }

export type FeedPage = {
  readonly iss: string
  /** How many changes there have been: it only rises. */
  readonly seq: number
  /** The cursor this page begins behind, the one asked for or a little before it: 0 begins a snapshot. */
  readonly since: number
  /** The cursor behind this page. Below `seq`: there are more pages, and the view is not complete before the last of them. */
  readonly next: number
  readonly iat: number
  /** From then on nobody may rely on it: iat + LIMITS.feedSeconds. */
  readonly exp: number
  /** Handles whose block was lifted. Applied before `block`: who was blocked again is blocked. */
  readonly lift: string
  readonly block: string
  readonly cut: string
  /** For each handle of `cut`: what was issued before this time is dead. Never moves back. */
  readonly before: readonly number[]
}

export type PagePart = Pick<FeedPage, 'lift' | 'block' | 'cut' | 'before'>

/** `handles`: of each change, in the same order. A snapshot has no use for what is lifted. */
export const pagePart = (changes: readonly FeedChange[], handles: readonly string[], isSnapshot: boolean): PagePart => {
  const of = (wanted: (change: FeedChange) => boolean): string =>
    handles.filter((_, at) => wanted(changes[at] as FeedChange)).join('')
  const cuts = changes.filter(({ form }) => form === 'cut')
  return {
    lift: isSnapshot ? '' : of(({ isLifted }) => isLifted),
    block: of(({ form, isLifted }) => form === 'block' && !isLifted),
    cut: of(({ form }) => form === 'cut'),
    before: cuts.map(({ notBeforeSeconds }) => notBeforeSeconds ?? LIMITS.epochSecondsMax),
  }
}

/**
 * Where the page for a cursor begins: there, or before it by a quarter of what is behind it and by half a page at the most. Whoever asks for
 * every cursor there is gets a few pages, each signed once, and not one for each; who applies a change once more has it as before.
 */
export const pageStart = (cursor: number, head: number, changesPerPage: number): number => {
  const span = Math.min((head - cursor) / 4, changesPerPage / 2)
  const step = 2 ** Math.floor(Math.log2(Math.max(1, span)))
  // A snapshot is for those who have nothing: it leaves out what was lifted.
  return cursor === 0 ? 0 : Math.max(1, cursor - (cursor % step))
}

/** Whether a page is what a verifier that asks in time lives on: there are some twenty such starts, whoever asks for what. */
export const isLive = (since: number, head: number): boolean => head - since <= LIMITS.feedLiveChanges

export const feedHeader = (alg: OwnAlgorithm, kid: string): string => JSON.stringify({ typ: FEED_TYPE, alg, kid })
