// Holders of a key and the DPoP proofs they make (RFC 9449 §4.2), whole or with parts of them changed.
import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'

export type Holder = { readonly privateKey: KeyObject; readonly jwk: Record<string, unknown>; readonly jkt: string }

export const newHolder = async (): Promise<Holder> => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = publicKey.export({ format: 'jwk' }) as Record<string, unknown>
  return { privateKey, jwk, jkt: await calculateJwkThumbprint(jwk) }
}

const b64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A proof of now for a POST to `url`. */
export const dpopProof = (
  { privateKey, jwk }: Holder,
  url: string,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): string => {
  const iat = Math.floor(Date.now() / 1000)
  const said = { jti: randomUUID(), htm: 'POST', htu: url, iat, ...claims }
  const input = `${b64({ typ: 'dpop+jwt', alg: 'ES256', jwk, ...header })}.${b64(said)}`
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

/** `ath` (RFC 9449 §4.2): which access token a proof is of. */
export const athOf = (token: string): string => createHash('sha256').update(token).digest('base64url')
