// What a receiver of webhooks does, by RFC 9421 and nothing of ours: the key of `keyid` from the published JWK Set, over the request
// as it came.
import { createPublicKey, hash, verify } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

type Jwks = { readonly keys: readonly { readonly kid: string; readonly x: string }[] }
type Request = { readonly headers: IncomingHttpHeaders; readonly bytes: Uint8Array }

/** `url`: where the receiver has its own door. */
export const isSignedFor = (url: string, { headers, bytes }: Request, { keys }: Jwks): boolean => {
  const [, parameters = ''] = /^mintmark=(.+)$/.exec(String(headers['signature-input'])) ?? []
  const [, kid] = /;keyid="([^"]+)"/.exec(parameters) ?? []
  const [, signature = ''] = /^mintmark=:(.+):$/.exec(String(headers['signature'])) ?? []
  const jwk = keys.find((one) => one.kid === kid)
  const digest = `sha-256=:${hash('sha256', bytes, 'base64')}:`
  if (jwk === undefined || headers['content-digest'] !== digest) return false
  const base = [
    '"@method": POST',
    `"@target-uri": ${url}`,
    `"content-type": ${headers['content-type']}`,
    `"content-digest": ${digest}`,
    `"@signature-params": ${parameters}`,
  ].join('\n')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: jwk.x }, format: 'jwk' })
  return verify(null, Buffer.from(base), key, Buffer.from(signature, 'base64'))
}
