// What a verifier reports and never keeps to itself: everything that is not as it should be. None of it is ever accepted. Pure.

export type Deviation =
  /** No answer, or not 200, or too long. */
  | 'keys_unreachable'
  | 'feed_unreachable'
  /** A key set without a usable key never replaces one that has some. */
  | 'keys_empty'
  /** Truncated, altered, of another type, signed by another key or for another tenant. */
  | 'page_invalid'
  | 'page_of_another_issuer'
  /** Older than the bound: replayed, or kept by a cache for too long. */
  | 'page_expired'
  /** From the future: a clock is wrong. */
  | 'page_early'
  /** It does not continue the view: a page is missing or was served for another cursor. */
  | 'page_out_of_order'
  /** A lower seq than was seen before, by this process or the one before it: the feed was rolled back. */
  | 'feed_rolled_back'
  /** The highest seq could not be read or written: a restart would not know of it. */
  | 'seen_not_kept'

export type Report = (deviation: Deviation) => void
