// Signing keys of the pooled tier: KMS makes the pair and gives out the private half only wrapped, under an encryption context of
// its owner. Who makes pairs (rotate) never sees one; who may unwrap (mint, for `token`) signs with it locally.
import { DecryptCommand, EncryptCommand, GenerateDataKeyPairWithoutPlaintextCommand } from '@aws-sdk/client-kms'
import type { KeyPairs, KeyVault } from '../../ports/signing-keys.ts'
import { callKms, feedSecretContext, type KmsOfTenant, sent, signingKeyContext } from './kms-call.ts'

export type WrappedKeyOptions = {
  readonly kms: KmsOfTenant
  /** ARN of the symmetric key that wraps. Named at every call: ciphertext of another key does not open. */
  readonly wrappingKey: string
}

const PAIR = { ES256: 'ECC_NIST_P256', RS256: 'RSA_2048', Ed25519: 'ECC_NIST_EDWARDS25519' } as const

/** Needs kms:GenerateDataKeyPairWithoutPlaintext. */
export const createWrappedKeyPairs = ({ kms, wrappingKey }: WrappedKeyOptions): KeyPairs => ({
  async generate(owner) {
    const order = {
      KeyId: wrappingKey,
      KeyPairSpec: PAIR[owner.alg],
      EncryptionContext: signingKeyContext(owner),
    }
    const made = await callKms(kms, owner.tenant, (client, options) =>
      client.send(new GenerateDataKeyPairWithoutPlaintextCommand(order), options),
    )
    return { publicKey: sent(made.PublicKey), sealed: sent(made.PrivateKeyCiphertextBlob) }
  },
})

/** Needs kms:Decrypt, and kms:Encrypt once a tenant for its feed secret. */
export const createWrappedKeyVault = ({ kms, wrappingKey }: WrappedKeyOptions): KeyVault => {
  const decrypt = async (tenant: string, sealed: Uint8Array, context: Record<string, string>): Promise<Uint8Array> => {
    const order = { KeyId: wrappingKey, CiphertextBlob: sealed, EncryptionContext: context }
    const opened = await callKms(kms, tenant, (client, options) => client.send(new DecryptCommand(order), options))
    return sent(opened.Plaintext)
  }
  return {
    open: async (key) => ({ kind: 'here', pkcs8: await decrypt(key.tenant, key.sealed, signingKeyContext(key)) }),
    async sealSecret(tenant, secret) {
      const order = { KeyId: wrappingKey, Plaintext: secret, EncryptionContext: feedSecretContext(tenant) }
      const sealed = await callKms(kms, tenant, (client, options) => client.send(new EncryptCommand(order), options))
      return sent(sealed.CiphertextBlob)
    },
    openSecret: (tenant, sealed) => decrypt(tenant, sealed, feedSecretContext(tenant)),
  }
}
