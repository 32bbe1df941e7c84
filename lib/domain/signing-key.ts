// Our own signing keys: their uses, states and the rules of rotation (design §2, attacks §1). Pure.
export type KeyUse = 'token' | 'signal' | 'log'
/** Ed25519 (RFC 8032) signs notes of the log and nothing else: `log` keys are of no other algorithm, and no other key is of it. */
export type OwnAlgorithm = 'ES256' | 'RS256' | 'Ed25519'
/** prepared: published, not signing. active: signs. retiring: verifies only. retired: gone. tainted: revoked at once. */
export type KeyState = 'prepared' | 'active' | 'retiring' | 'retired' | 'tainted'

export type SigningKey = {
  readonly tenant: string
  readonly kid: string
  readonly alg: OwnAlgorithm
  readonly use: KeyUse
  readonly state: KeyState
  /** Public JWK without alg, use, kid: { kty, crv, x, y }, { kty, n, e } or { kty, crv, x }. */
  readonly publicJwk: Readonly<Record<string, string>>
  /** The private half as the vault sealed it (docs/storage.md): AES-256-GCM or KMS ciphertext of PKCS#8, or the name of a KMS key. */
  readonly sealed: Uint8Array
  readonly createdAtSeconds: number
  /** When mint proved possession (unwrapped it and derived the public key itself); null: never served. */
  readonly provenAtSeconds: number | null
  readonly activatedAtSeconds: number | null
  /** When it stopped signing (retiring, tainted). */
  readonly endedAtSeconds: number | null
}

/** States whose public key is served in the key set, given an activation row. */
export const PUBLISHED_STATES: ReadonlySet<KeyState> = new Set(['prepared', 'active', 'retiring'])
