// A key that tokens are bound to (RFC 9449), from its holder's file, and the proofs it makes. The key is never printed, and neither is
// what node:crypto says of one it cannot read.
import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomUUID, sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { done, fail, type Outcome } from './outcome.ts'

/** RFC 9449 §4.2. `accessToken`: beside which it is sent, where one is (§7). */
export type ProofFor = { readonly method: string; readonly url: string; readonly accessToken?: string }

/** A new proof of now with each call: one is good once. */
export type DpopKey = { readonly prove: (sent: ProofFor) => string }

/** From a PEM (PKCS #8, SEC 1) or a private JWK: P-256, P-384, or RSA of 2048 bits and more. */
export const readDpopKey = async (path: string): Promise<Outcome<DpopKey>> => {
  const no = (says: string) => fail('usage', `the file of the DPoP key ${says}`)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    return no(`cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
  const key = parsePrivateKey(text)
  if (key === null) return no('holds no private key without a passphrase, as PEM or JWK')
  const alg = algorithmOf(key)
  return alg === null ? no('is of none of P-256, P-384, RSA of 2048 bits or more') : done(keyOf(key, alg))
}

const parsePrivateKey = (text: string): KeyObject | null => {
  try {
    return text.trimStart().startsWith('{')
      ? createPrivateKey({ key: JSON.parse(text), format: 'jwk' })
      : createPrivateKey(text)
  } catch {
    return null
  }
}

type Algorithm = { readonly alg: 'ES256' | 'ES384' | 'RS256'; readonly hash: 'sha256' | 'sha384' }

const algorithmOf = ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): Algorithm | null => {
  if (asymmetricKeyType === 'rsa')
    return (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048 ? { alg: 'RS256', hash: 'sha256' } : null
  const curve = asymmetricKeyDetails?.namedCurve
  if (curve === 'prime256v1') return { alg: 'ES256', hash: 'sha256' }
  return curve === 'secp384r1' ? { alg: 'ES384', hash: 'sha384' } : null
}

const keyOf = (key: KeyObject, { alg, hash }: Algorithm): DpopKey => {
  const jwk = createPublicKey(key).export({ format: 'jwk' })
  const header = encode({ typ: 'dpop+jwt', alg, jwk })
  return {
    prove({ method, url, accessToken }) {
      const ath = accessToken === undefined ? {} : { ath: sha256(accessToken) }
      const iat = Math.floor(Date.now() / 1000)
      // The URL as it is compared: without query and fragment.
      const claims = encode({ jti: randomUUID(), htm: method, htu: url.replace(/[?#].*$/, ''), iat, ...ath })
      const signature = sign(hash, Buffer.from(`${header}.${claims}`), { key, dsaEncoding: 'ieee-p1363' })
      return `${header}.${claims}.${signature.toString('base64url')}`
    },
  }
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')
