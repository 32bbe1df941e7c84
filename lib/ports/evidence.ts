// What the flows need to judge a signature: the keys of issuers, and the arithmetic.
import type { KeySource } from '../domain/key-source.ts'
import type { TokenAlgorithm } from '../domain/own-token.ts'
import type { SignatureAlgorithm } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import type { SigningKey } from '../domain/signing-key.ts'

/** An imported public key, opaque to flows. */
export type VerifyKey = object

export interface IssuerKeys {
  /** The key from the cached set, without waiting; undefined: ask find(). Never a key whose set is past its stale bound. */
  peek(source: KeySource, kid: string, alg: SignatureAlgorithm): VerifyKey | undefined
  /** Refuses: key_unknown, key_unusable. Throws Unavailable when no usable set can be had. */
  find(source: KeySource, kid: string, alg: SignatureAlgorithm): Promise<Result<VerifyKey>>
  /** Moves whenever the set behind a source changes: what was verified under another generation is verified anew. */
  generation(source: KeySource): number
}

export interface SignatureVerifier {
  /** Never throws on hostile input. */
  verify(alg: SignatureAlgorithm, key: VerifyKey, signingInput: string, signature: Uint8Array): boolean
}

export interface ProofVerifier {
  /** Verifies a DPoP proof's signature with the key in its own header; the thumbprint of that key, or null. RFC 9449 §4.3. */
  thumbprint(
    alg: SignatureAlgorithm,
    jwk: Readonly<Record<string, unknown>>,
    signingInput: string,
    signature: Uint8Array,
  ): string | null
}

export interface OwnSignatures {
  /** Whether the signature is that of one of our own keys. Never throws on hostile input. */
  verifyOwn(
    alg: TokenAlgorithm,
    key: Pick<SigningKey, 'publicJwk'>,
    signingInput: string,
    signature: Uint8Array,
  ): boolean
}
