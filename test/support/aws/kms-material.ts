// The cryptography behind the KMS double: real keys, real AES-GCM with the encryption context as associated data, real
// signatures over digests. A ciphertext names its key, so that Decrypt needs no KeyId, as at AWS.
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  privateEncrypt,
  randomBytes,
  sign,
} from 'node:crypto'
import type { KmsKeyUse } from './cloud.ts'

type EncryptionContext = Readonly<Record<string, string>>

const IV_BYTES = 12
const TAG_BYTES = 16
/** Key ids are UUIDs, also those derived from a template. */
const KEY_ID_BYTES = 36

/** 256 bits that never leave: what a symmetric KMS key is. */
export const newSymmetricKey = (): Buffer => randomBytes(32)

export const seal = (keyId: string, key: Buffer, plaintext: Uint8Array, context: EncryptionContext): Buffer => {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(canonical(context))
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return Buffer.concat([Buffer.from(keyId, 'latin1'), iv, cipher.getAuthTag(), body])
}

/** Which key a ciphertext asks for; null for what is no ciphertext of ours. */
export const keyIdIn = (blob: Buffer): string | null =>
  blob.length > KEY_ID_BYTES + IV_BYTES + TAG_BYTES ? blob.toString('latin1', 0, KEY_ID_BYTES) : null

/** Null when any bit or any pair of the context is another one. */
export const open = (key: Buffer, blob: Buffer, context: EncryptionContext): Buffer | null => {
  const iv = blob.subarray(KEY_ID_BYTES, KEY_ID_BYTES + IV_BYTES)
  const tag = blob.subarray(KEY_ID_BYTES + IV_BYTES, KEY_ID_BYTES + IV_BYTES + TAG_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
  decipher.setAAD(canonical(context)).setAuthTag(tag)
  try {
    return Buffer.concat([decipher.update(blob.subarray(KEY_ID_BYTES + IV_BYTES + TAG_BYTES)), decipher.final()])
  } catch {
    return null
  }
}

/** The order of the pairs does not count, everything else does. */
const canonical = (context: EncryptionContext): Buffer =>
  Buffer.from(JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))))

export const newKeyPair = (spec: Exclude<KmsKeyUse['spec'], 'SYMMETRIC_DEFAULT'>): KeyObject =>
  spec === 'RSA_2048'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    : spec === 'ECC_NIST_EDWARDS25519'
      ? generateKeyPairSync('ed25519').privateKey
      : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

export const publicDer = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' })
export const privateDer = (key: KeyObject): Buffer =>
  createPrivateKey(key.export({ type: 'pkcs8', format: 'pem' })).export({ type: 'pkcs8', format: 'der' })

/** Signs a SHA-256 digest: ECDSA in DER, as KMS answers, or PKCS #1 v1.5. */
export const signDigest = (key: KeyObject, digest: Buffer): Buffer =>
  key.asymmetricKeyType === 'ec' ? ecdsa(key, digest) : rsa(key, digest)

/** Ed25519 hashes by itself: KMS takes the message, and no digest. */
export const signMessage = (key: KeyObject, message: Buffer): Buffer => sign(null, message, key)

export const sha256 = (data: Uint8Array): Buffer => createHash('sha256').update(data).digest()

/** Order of P-256 (SP 800-186 §3.2.1.3). */
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** FIPS 186-5 §6.4.1. Node signs messages, not digests, so the two lines of arithmetic are here; a test double may leak time. */
const ecdsa = (key: KeyObject, digest: Buffer): Buffer => {
  const d = toBigInt(Buffer.from(key.export({ format: 'jwk' }).d!, 'base64url'))
  for (;;) {
    const nonce = randomBytes(32)
    const k = toBigInt(nonce)
    if (k === 0n || k >= N) continue
    const point = createECDH('prime256v1')
    point.setPrivateKey(nonce)
    const r = toBigInt(point.getPublicKey().subarray(1, 33)) % N
    const s = (inverse(k) * (toBigInt(digest) + r * d)) % N
    if (r !== 0n && s !== 0n) return sequence(integer(r), integer(s))
  }
}

const SHA256_PREFIX = Buffer.from('3031300d060960864801650304020105000420', 'hex')
const rsa = (key: KeyObject, digest: Buffer): Buffer =>
  privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.concat([SHA256_PREFIX, digest]))

const toBigInt = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

/** Fermat: N is prime. */
const inverse = (value: bigint): bigint => {
  let [result, base, exponent] = [1n, value % N, N - 2n]
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % N
    base = (base * base) % N
  }
  return result
}

const integer = (value: bigint): Buffer => {
  const hex = value.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  const signed = bytes[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes
  return Buffer.concat([Buffer.of(0x02, signed.length), signed])
}

const sequence = (...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.of(0x30, body.length), body])
}
