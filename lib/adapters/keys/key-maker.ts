// New signing keys as rows, and the proof that a stored one is whole (design §2). Where pairs are made and opened is the
// vault's affair; that a row says the truth about its key is checked here, for every vault.
import { verify } from 'node:crypto'
import type { SigningKey } from '../../domain/signing-key.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { KeyMaker, KeyPairs, KeyProver, KeyVault } from '../../ports/signing-keys.ts'
import { openKey, signWith } from './opened-key.ts'
import { type PublicMembers, publicKeyOf, publicMembers, thumbprintOf } from './public-key.ts'

export const createKeyMaker = (pairs: KeyPairs): KeyMaker => ({
  async make({ nowSeconds, ...owner }) {
    const { publicKey, sealed } = await pairs.generate(owner)
    const publicJwk = publicMembers(publicKeyOf(publicKey))
    return {
      ...owner,
      kid: thumbprintOf(publicJwk),
      state: 'prepared',
      publicJwk,
      sealed,
      createdAtSeconds: nowSeconds,
      provenAtSeconds: null,
      activatedAtSeconds: null,
      endedAtSeconds: null,
    }
  },
})

const PROOF_TEXT = 'mintmark proves a signing key'

export const createKeyProver = (vault: KeyVault): KeyProver => ({
  async proves(key: SigningKey) {
    try {
      const { signer, members } = await openKey(vault, key)
      // The row's public half is not under the seal: whoever could write rows could plant a key of their own to be served.
      return isSame(members, key.publicJwk) && verifies(key, await signWith(signer, key.alg, PROOF_TEXT))
    } catch (error) {
      if (error instanceof Unavailable) throw error
      return false
    }
  },
})

const isSame = (derived: PublicMembers, stored: PublicMembers): boolean => {
  const names = Object.keys(derived)
  return names.every((name) => stored[name] === derived[name]) && Object.keys(stored).length === names.length
}

const verifies = ({ alg, publicJwk }: SigningKey, signature: string): boolean => {
  const key = { key: { ...publicJwk }, format: 'jwk', dsaEncoding: 'ieee-p1363' } as const
  return verify(
    alg === 'Ed25519' ? null : 'sha256',
    Buffer.from(PROOF_TEXT, 'latin1'),
    key,
    Buffer.from(signature, 'base64url'),
  )
}
