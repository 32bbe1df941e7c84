// Signatures of our own keys, verified from their rows. A key is imported once: that costs as much as a verification.
import type { OwnSignatures, VerifyKey } from '../../ports/evidence.ts'
import { importVerifyKey, verifySignature } from './evidence-signature.ts'

const KEYS_MAX = 10_000

export const createOwnSignatures = (): OwnSignatures => {
  const imported = new Map<string, VerifyKey>()
  return {
    verifyOwn(alg, { publicJwk }, signingInput, signature) {
      // By its members and not by its kid: a row says what it likes of its name.
      const name = JSON.stringify(publicJwk)
      const key = imported.get(name) ?? importVerifyKey(publicJwk)
      if (imported.size >= KEYS_MAX) imported.clear()
      imported.set(name, key)
      return verifySignature(alg, key, signingInput, signature)
    },
  }
}
