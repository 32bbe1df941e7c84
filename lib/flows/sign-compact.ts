// JWS compact serialization (RFC 7515 §3.1) of a header and a payload that are text already.
import { encodeBase64urlText } from '../domain/base64url.ts'
import type { KeyRing, ReadyKey } from '../ports/signing-keys.ts'

/** A string where the key is in this process, a promise where another service signs. */
export const signCompact = (
  keys: Pick<KeyRing, 'sign'>,
  key: ReadyKey,
  header: string,
  payload: string,
): string | Promise<string> => {
  const signingInput = `${encodeBase64urlText(header)}.${encodeBase64urlText(payload)}`
  const signature = keys.sign(key, signingInput)
  return typeof signature === 'string'
    ? `${signingInput}.${signature}`
    : signature.then((late) => `${signingInput}.${late}`)
}
