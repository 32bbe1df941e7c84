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
  /** The tenant's sealed feed secret (rh handles). Where there is none, what `seal` makes is inserted, once: the stored one. */
  feedSecret(tenant: string, seal: () => Uint8Array | Promise<Uint8Array>): Promise<Uint8Array>
}

/** A key ready to sign. `handle` is opaque to flows. */
export type ReadyKey = { readonly kid: string; readonly alg: OwnAlgorithm; readonly handle: unknown }

export interface KeyRing {
  /** The active key of (tenant, use, alg), opened and cached; throws Unavailable('signing_key_unavailable'). */
  active(tenant: string, use: KeyUse, alg: OwnAlgorithm): Promise<ReadyKey>
  /** The same without waiting; undefined: not cached. */
  peek(tenant: string, use: KeyUse, alg: OwnAlgorithm): ReadyKey | undefined
  /**
   * JWS signature over the signing input, base64url (ES256 as raw r||s). A string at once where the key is in this process;
   * a promise where another service signs, which rejects with Unavailable.
   */
  sign(key: ReadyKey, signingInput: string): string | Promise<string>
  /** The same over a JOSE header and a payload that are text already: the whole JWS, compact (RFC 7515 §3.1). */
  signCompact(key: ReadyKey, header: string, payload: string): string | Promise<string>
  /** Forget what is cached of a tenant, secrets too: its keys moved, or it is gone. */
  invalidate(tenant: string): void
  /** Revocation handle (design §6): HMAC with the tenant's feed secret, 12 bytes, base64url; cached. */
  handle(tenant: string, kind: string, issuer: string, value: string): Promise<string> | string
}

/** Makes key pairs; what it returns is sealed, its private half is kept nowhere else. */
export interface KeyMaker {
  /** A new prepared key, not yet proven; kid is its RFC 7638 thumbprint. */
  make(order: KeyOwner & { readonly nowSeconds: number }): Promise<SigningKey>
}

/** The part of activation (design §2) that only the owner of a use can do: it has the right to open. */
export interface KeyProver {
  /**
   * True when the private half opens for (tenant, kid, alg, use), gives this public key and this kid, and signs. Throws
   * Unavailable when it cannot tell: that says nothing about the key.
   */
  proves(key: SigningKey): Promise<boolean>
}

/** Activation (design §2): by the owner of the use alone, wherever that runs. */
export interface KeyActivation {
  /**
   * Writes the activation row once the private half proves to be whole. False: it does not, and nothing is written. Throws
   * Unavailable when it cannot tell.
   */
  activate(key: SigningKey): Promise<boolean>
}

/** Whom a new key belongs to. */
export type KeyOwner = Pick<SigningKey, 'tenant' | 'use' | 'alg'>

/** Where pairs come from. INVARIANT: nothing but `sealed` ever leaves with the private half in it. */
export interface KeyPairs {
  /** ES256: P-256; RS256: 2048 bits. `publicKey` is SPKI in DER. Throws Unavailable. */
  generate(owner: KeyOwner): Promise<{ readonly publicKey: Uint8Array; readonly sealed: Uint8Array }>
}

/** The private half of a key, as far as this process may have it. */
export type OpenedKey =
  /** PKCS#8 in DER. Whoever asked for it zeroes it. */
  | { readonly kind: 'here'; readonly pkcs8: Uint8Array }
  /**
   * It never leaves its service, which signs SHA-256 digests: ECDSA as DER, RSA as PKCS#1 v1.5. Of Ed25519, which hashes by itself,
   * twice, it signs the message, 4,096 bytes at most. `publicKey`: SPKI in DER.
   */
  | {
      readonly kind: 'elsewhere'
      readonly publicKey: Uint8Array
      readonly sign: (digestOrMessage: Uint8Array) => Promise<Uint8Array>
    }

/**
 * Opens what was sealed for one owner, and for no other: each implementation binds it, and says how. Throws Unavailable when
 * its service does not answer or does not allow it, any other error when data or owner were altered.
 */
export interface KeyVault {
  open(key: SigningKey): OpenedKey | Promise<OpenedKey>
  sealSecret(tenant: string, secret: Uint8Array): Uint8Array | Promise<Uint8Array>
  openSecret(tenant: string, sealed: Uint8Array): Uint8Array | Promise<Uint8Array>
}
