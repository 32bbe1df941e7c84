// Signatures of our own keys, verified from their rows. A key is imported once: that costs as much as a verification. A token that
// was good under a key is not computed anew: callers come with one token many times, and a thousand orders may carry the same.
import type { OwnSignatures, VerifyKey } from '../../ports/evidence.ts'
import { importVerifyKey, verifySignature } from './evidence-signature.ts'

const KEYS_MAX = 10_000
const VERIFIED_MAX = 1_000

export const createOwnSignatures = (): OwnSignatures => {
  const imported = new Map<string, VerifyKey>()
  const verified = new Set<string>()
  const keyOf = (name: string, publicJwk: Parameters<typeof importVerifyKey>[0]): VerifyKey => {
    const known = imported.get(name)
    if (known !== undefined) return known
    if (imported.size >= KEYS_MAX) imported.clear()
    const key = importVerifyKey(publicJwk)
    imported.set(name, key)
    return key
  }
  return {
    verifyOwn(alg, { publicJwk }, signingInput, signature) {
      // By its members and not by its kid: a row says what it likes of its name.
      const name = JSON.stringify(publicJwk)
      const whole = `${alg} ${name} ${signingInput} ${Buffer.from(signature).toString('base64')}`
      if (verified.has(whole)) return true
      if (!verifySignature(alg, keyOf(name, publicJwk), signingInput, signature)) return false
      if (verified.size >= VERIFIED_MAX) verified.clear()
      verified.add(whole)
      return true
    },
  }
}
