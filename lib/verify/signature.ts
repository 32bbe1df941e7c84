// Signatures with WebCrypto, in any runtime that has it. Keys are judged before they are imported (lib/domain/jwk-policy.ts), and
// each is imported once for the one algorithm it may verify.
import type { PublicJwk } from '../domain/jwk-policy.ts'
import type { TokenAlgorithm } from '../domain/own-token.ts'

export const VERIFIED_ALGORITHMS: readonly TokenAlgorithm[] = ['ES256', 'RS256']

const IMPORT = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
} as const

const VERIFY = { ES256: { name: 'ECDSA', hash: 'SHA-256' }, RS256: 'RSASSA-PKCS1-v1_5' } as const

export type ImportedKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

export const importKey = (jwk: PublicJwk, alg: TokenAlgorithm): Promise<ImportedKey> =>
  crypto.subtle.importKey('jwk', jwk, IMPORT[alg], false, ['verify'])

const toBytes = new TextEncoder()

/** Never throws for what was signed or sent. */
export const verifies = async (
  key: ImportedKey,
  alg: TokenAlgorithm,
  signingInput: string,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> => crypto.subtle.verify(VERIFY[alg], key, signature, toBytes.encode(signingInput))
