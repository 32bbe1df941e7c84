// Randomness and digests, as arguments (house style 5). The clock is in ports/clock.ts.
export interface Ids {
  /** UUIDv7 of now: time-ordered, so that rows written by it are appended. */
  decisionId(): string
  /** A W3C trace id: 16 random bytes as hex. */
  traceId(): string
}

export interface Digest {
  /** SHA-256, base64url without padding (43 characters). */
  sha256(data: string | Uint8Array): string
}

/** Resolves after so many milliseconds; false, and perhaps earlier: the process is about to stop, do not wait on. */
export type Pause = (ms: number) => Promise<boolean>
