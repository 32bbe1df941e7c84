// X.509 certificates for tests, made here: a fresh machine need not have openssl. P-256, RFC 5280 in as few fields as
// verifiers ask for.
import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'

export type Identity = { readonly cert: string; readonly key: string }

export type CertificateOrder = {
  /** Common name. */
  readonly subject: string
  /** dNSName entries of subjectAltName. */
  readonly dnsNames: readonly string[]
  readonly notBefore?: Date
  readonly notAfter?: Date
}

const DAY_MS = 24 * 3600 * 1000

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts)
  const length =
    body.length < 0x80
      ? [body.length]
      : body.length < 0x100
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts)
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))
const TRUE = der(0x01, Buffer.from([0xff]))

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'))
const nameOf = (commonName: string): Buffer =>
  sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName)))))
/** GeneralizedTime, YYYYMMDDHHMMSSZ. */
const timeOf = (date: Date): Buffer => der(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]|\..*/g, '')}Z`))
const extension = (id: string, value: Buffer, isCritical = false): Buffer =>
  sequence(oid(id), ...(isCritical ? [TRUE] : []), der(0x04, value))

const BASIC_CONSTRAINTS = '551d13'
const SUBJECT_ALT_NAME = '551d11'

export type Signer = { readonly name: string; readonly privateKey: KeyObject }

const certify = (
  { subject, dnsNames, notBefore, notAfter }: CertificateOrder,
  publicKey: KeyObject,
  signer: Signer,
  isAuthority: boolean,
): string => {
  const extensions = [
    extension(BASIC_CONSTRAINTS, sequence(...(isAuthority ? [TRUE] : [])), true),
    ...(dnsNames.length === 0
      ? []
      : [extension(SUBJECT_ALT_NAME, sequence(...dnsNames.map((name) => der(0x82, Buffer.from(name)))))]),
  ]
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    nameOf(signer.name),
    sequence(timeOf(notBefore ?? new Date(Date.now() - DAY_MS)), timeOf(notAfter ?? new Date(Date.now() + DAY_MS))),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  )
  const signature = der(0x03, Buffer.from([0]), sign('sha256', toBeSigned, signer.privateKey))
  return new X509Certificate(sequence(toBeSigned, ECDSA_WITH_SHA256, signature)).toString()
}

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

export const newAuthority = (name: string): Signer & { readonly cert: string } => {
  const { publicKey, privateKey } = newKeys()
  return { name, privateKey, cert: certify({ subject: name, dnsNames: [] }, publicKey, { name, privateKey }, true) }
}

export const issueCertificate = (signer: Signer, order: CertificateOrder): Identity => {
  const { publicKey, privateKey } = newKeys()
  return { cert: certify(order, publicKey, signer, false), key: pem(privateKey) }
}

export const selfSigned = (order: CertificateOrder): Identity => {
  const { publicKey, privateKey } = newKeys()
  return { cert: certify(order, publicKey, { name: order.subject, privateKey }, false), key: pem(privateKey) }
}
