// All HTTP the broker sends (design §4): key sets, cloud sessions, audit events, witnesses. Obligations of every implementation, for
// every request, whoever configured the URL:
// - the URL passes lib/domain/egress.ts; the name is resolved once, one forbidden address among the answers refuses the
//   request, and the connection goes to an address that was judged (no second lookup: DNS rebinding);
// - no redirect is followed, no proxy, cookie or credential of the environment is used, no connection is shared;
// - TLS certificates are verified against the name of the URL;
// - connecting and the whole answer each have a deadline, the body a cap in bytes, and nothing is ever decompressed;
// - a foreign answer leaves no trace but status, size and for how long it asks to be left alone: no body, other header or error
//   text of it in a failure.

export type OutboundOptions = {
  /** `json` asks for JSON and refuses an answer whose content type is not; `not_a_page` refuses HTML: whoever answers with that is a proxy. */
  readonly expect: 'json' | 'not_a_page' | 'any'
  /** Statuses whose body is wanted; default 200 only. Where others are named, the caller keeps of them a code it knows. */
  readonly statuses?: readonly number[]
  readonly bodyBytesMax: number
  /** For name, connection and TLS handshake; default LIMITS.fetchConnectMs. */
  readonly connectMs?: number
  /** From the call to the last byte of the answer; default LIMITS.fetchTotalMs. */
  readonly totalMs?: number
}

export type OutboundResponse = { readonly status: number; readonly body: Uint8Array<ArrayBuffer> }

export type OutboundReason =
  | 'url_refused'
  | 'request_refused' // a header of it cannot be sent
  | 'address_refused'
  | 'name_not_resolved'
  | 'connect_timeout'
  | 'connect_failed' // refused, unreachable, or a certificate that does not verify
  | 'deadline'
  | 'redirect'
  | 'status'
  | 'content_type'
  | 'content_encoding'
  | 'too_large'
  | 'interrupted' // ended early, or not HTTP

export type OutboundFailure = {
  readonly reason: OutboundReason
  readonly status: number | null
  /** Bytes of body received before it was given up. */
  readonly bytes: number
  /** Retry-After in seconds (RFC 9110 §10.2.3), where the answer had one. */
  readonly retryAfterSeconds?: number
}

export type OutboundResult =
  | { readonly ok: true; readonly response: OutboundResponse }
  | { readonly ok: false; readonly failure: OutboundFailure }

export type OutboundBody = {
  readonly contentType: string
  readonly text: string | Uint8Array
  /** More of them, names in lower case: `authorization`, `accept`. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface OutboundHttp {
  /** One GET. Any other status than those wanted is a failure with it; never throws for what a foreign host does. */
  get(url: string, options: OutboundOptions): Promise<OutboundResult>
  /** One POST, never sent again: after a failure it may have been acted on. */
  post(url: string, body: OutboundBody, options: OutboundOptions): Promise<OutboundResult>
}
