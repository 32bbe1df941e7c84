// Secrets a tenant document names (design §5 "Files"): shared with those who report to us or are told by us.
export interface Secrets {
  /**
   * Whether a text is the secret of this name, compared in constant time; false where there is none, or an empty one. Throws
   * Unavailable(secret_unavailable) when it cannot be read.
   */
  matches(name: string, text: string): Promise<boolean>
  /** The secret as text, for a header of ours; the rest as above. An empty one is Unavailable too. */
  text(name: string): Promise<string>
  /** Whether `signature` (hex) is HMAC-SHA-256 of the bytes under the secret, in constant time; the rest as above. */
  verifyHmac(name: string, bytes: Uint8Array, signature: string): Promise<boolean>
}
