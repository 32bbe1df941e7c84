// Security event tokens as a transmitter signs them, and pushes of them (RFC 8935).
import { randomUUID } from 'node:crypto'
import { type IssuerKey, signAssertion } from './evidence.ts'

export const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/'
export const RISC = 'https://schemas.openid.net/secevent/risc/event-type/'
export const SSF = 'https://schemas.openid.net/secevent/ssf/event-type/'
export const IDP = 'https://idp.acme.example'

type Claims = Readonly<Record<string, unknown>>

/** A SET that passes, changed by a test; a claim set to undefined is left out. */
export const setClaims = (audience: string, changes: Claims = {}): Record<string, unknown> => ({
  iss: IDP,
  jti: randomUUID(),
  iat: Math.floor(Date.now() / 1000),
  aud: audience,
  txn: 'txn-1',
  sub_id: { format: 'opaque', id: 'spiffe://acme.example/ci/7654321/production' },
  events: { [`${CAEP}session-revoked`]: { initiating_entity: 'admin', reason_admin: { en: 'left the company' } } },
  ...changes,
})

export const signSet = (key: IssuerKey, claims: Claims, header: Claims = {}): string =>
  signAssertion(key, claims, { typ: 'secevent+jwt', ...header })

export type PushAnswer = { readonly status: number; readonly headers: Headers; readonly body: unknown }

export const pushSet = async (
  tenantUrl: string,
  set: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<PushAnswer> => {
  const response = await fetch(`${tenantUrl}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/secevent+jwt', accept: 'application/json', ...headers },
    body: set,
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) }
}
