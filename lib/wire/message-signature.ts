// HTTP Message Signatures (RFC 9421) over what a webhook is sent: method, URL, media type and the digest of the body (RFC 9530).
// Pure: digest and signature are made elsewhere. INVARIANT: the text begins with a quotation mark, as no checkpoint does; one
// key signs both.
export type SignedMessage = {
  /** As on the wire: webhookTarget(). */
  readonly url: string
  /** SHA-256 of the body, base64. */
  readonly digest: string
  readonly createdSeconds: number
  readonly kid: string
}

/** CloudEvents in a batch. */
export const WEBHOOK_TYPE = 'application/cloudevents-batch+json'

/** The URL of a document as it goes on the wire, which is what the receiver sees and verifies. */
export const webhookTarget = (url: string): string => new URL(url).href

const contentDigest = (digest: string): string => `sha-256=:${digest}:`

const PARAMETERS = ({ createdSeconds, kid }: SignedMessage): string =>
  `("@method" "@target-uri" "content-type" "content-digest");created=${createdSeconds};keyid="${kid}";alg="ed25519"`

/** The signature base (§2.5). */
export const signatureBase = (message: SignedMessage): string =>
  [
    '"@method": POST',
    `"@target-uri": ${message.url}`,
    `"content-type": ${WEBHOOK_TYPE}`,
    `"content-digest": ${contentDigest(message.digest)}`,
    `"@signature-params": ${PARAMETERS(message)}`,
  ].join('\n')

/** `signature`: base64. */
export const signatureHeaders = (message: SignedMessage, signature: string): Readonly<Record<string, string>> => ({
  'content-digest': contentDigest(message.digest),
  'signature-input': `mintmark=${PARAMETERS(message)}`,
  signature: `mintmark=:${signature}:`,
})
