// The key set a tenant serves (RFC 7517 §5). Members are listed one by one: whatever else a row may hold stays inside. Pure.
import type { SigningKey } from '../domain/signing-key.ts'

export type PublishedKey = Pick<SigningKey, 'kid' | 'alg' | 'publicJwk'>

/** `keys`: published ones of one use (publishedKeys in lib/domain/key-rotation.ts). Sorted, so that the same set is the same text. */
export const jwksDocument = (
  keys: readonly PublishedKey[],
): { readonly keys: readonly Readonly<Record<string, string>>[] } => ({
  keys: [...keys].sort((a, b) => (a.kid < b.kid ? -1 : 1)).map(publicJwk),
})

const publicJwk = ({ kid, alg, publicJwk: jwk }: PublishedKey): Record<string, string> => {
  const names = alg === 'ES256' ? ['kty', 'crv', 'x', 'y'] : ['kty', 'n', 'e']
  const members = names.map((name): [string, string] => {
    const value = jwk[name]
    if (value === undefined) throw new TypeError('a signing key row lacks a member of its public key')
    return [name, value]
  })
  return { ...Object.fromEntries(members), kid, alg, use: 'sig' }
}
