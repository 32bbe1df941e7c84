// Sealing at rest: AES-256-GCM (NIST SP 800-38D) under the master key, iv(12) ‖ ciphertext ‖ tag(16). The associated data is
// authenticated, so a sealed key moved to another tenant, kid, algorithm or use does not open.
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'

const IV_BYTES = 12
const TAG_BYTES = 16

export type AesSealer = {
  /** The associated data is authenticated, not hidden. */
  seal(plain: Uint8Array, associated: string): Uint8Array
  /** Throws when the data or the associated data were altered. */
  open(sealed: Uint8Array, associated: string): Uint8Array
}

/** `masterKey`: 32 bytes, copied; the caller may zero its own. */
export const createAesSealer = (masterKey: Uint8Array): AesSealer => {
  if (masterKey.length !== 32) throw new TypeError('the master key has 32 bytes')
  const key = createSecretKey(masterKey)
  return {
    seal(plain, associated) {
      // A random IV per seal: with one new key per tenant, algorithm and day, far from the 2^32 of SP 800-38D §8.3.
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
      cipher.setAAD(Buffer.from(associated, 'utf8'))
      return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    },
    open(sealed, associated) {
      if (sealed.length < IV_BYTES + TAG_BYTES) throw new Error('sealed data is too short')
      const iv = sealed.subarray(0, IV_BYTES)
      const tag = sealed.subarray(sealed.length - TAG_BYTES)
      // The length is fixed here: a shorter tag, which GCM would accept, is easier to forge.
      const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
      decipher.setAAD(Buffer.from(associated, 'utf8'))
      decipher.setAuthTag(tag)
      const plain = decipher.update(sealed.subarray(IV_BYTES, sealed.length - TAG_BYTES))
      try {
        decipher.final()
      } catch (error) {
        plain.fill(0)
        throw new Error('sealed data or what it belongs to was altered, or the master key is another', { cause: error })
      }
      return plain
    },
  }
}
