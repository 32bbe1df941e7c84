// Our own keys: rows, and the key ring that unwraps them. Sealed at rest; only the owner of a use unwraps it.
import type { KeyState, KeyUse, OwnAlgorithm, SigningKey } from '../domain/signing-key.ts'

export interface SigningKeyStore {
  list(tenant: string): Promise<readonly SigningKey[]>
  /** Inserts; false when the kid exists. */
  insert(key: SigningKey): Promise<boolean>
  /** Compare-and-set on state (null: not proven yet -> proven). False when the row was not in `from`. */
  move(tenant: string, kid: string, from: KeyState, to: KeyState, atSeconds: number): Promise<boolean>
  /** The activation row (design §2): mint unwrapped the private half and derived this public key itself. */
  prove(tenant: string, kid: string, atSeconds: number): Promise<void>
  /** The tenant's sealed feed secret (rh handles), inserted once: returns the one that is stored. */
  feedSecret(tenant: string, sealedIfAbsent: Uint8Array): Promise<Uint8Array>
}

/** A key ready to sign. `handle` is opaque to flows. */
export type ReadyKey = { readonly kid: string; readonly alg: OwnAlgorithm; readonly handle: unknown }

export interface KeyRing {
  /** The active key of (tenant, use, alg), unwrapped and cached; throws Unavailable('signing_key_unavailable'). */
  active(tenant: string, use: KeyUse, alg: OwnAlgorithm): Promise<ReadyKey>
  /** The same without waiting; undefined: not cached. */
  peek(tenant: string, use: KeyUse, alg: OwnAlgorithm): ReadyKey | undefined
  /** JWS signature over the signing input, base64url (ES256 as raw r||s). */
  sign(key: ReadyKey, signingInput: string): string
  /** Forget what is cached of a tenant, secrets too: its keys moved, or it is gone. */
  invalidate(tenant: string): void
  /** Revocation handle (design §6): HMAC with the tenant's feed secret, 12 bytes, base64url; cached. */
  handle(tenant: string, kind: string, issuer: string, value: string): Promise<string> | string
}

export interface Sealer {
  /** AES-256-GCM; associated data is authenticated. */
  seal(plain: Uint8Array, associated: string): Uint8Array
  /** Throws when the data or the associated data were altered. */
  open(sealed: Uint8Array, associated: string): Uint8Array
}

/** Makes key pairs; what it returns is sealed, its private half is kept nowhere else. */
export interface KeyMaker {
  /** A new prepared key, not yet proven; kid is its RFC 7638 thumbprint. */
  make(order: {
    readonly tenant: string
    readonly use: KeyUse
    readonly alg: OwnAlgorithm
    readonly nowSeconds: number
  }): Promise<SigningKey>
}

/** The part of activation (design §2) that only the owner of a use can do: it has the right to unwrap. */
export interface KeyProver {
  /** True when the private half unwraps for (tenant, kid, alg, use) and gives this public key and this kid. */
  proves(key: SigningKey): Promise<boolean>
}
