// Signing keys of the silo tier: KMS holds the private half for good and signs digests itself. What a row has of it is the ARN.
// An asymmetric key takes no encryption context; its owner is in its tags, which IAM compares with those of the caller's session.
import { CreateKeyCommand, type CreateKeyCommandInput, GetPublicKeyCommand, SignCommand } from '@aws-sdk/client-kms'
import { LIMITS } from '../../domain/limits.ts'
import type { OwnAlgorithm, SigningKey } from '../../domain/signing-key.ts'
import type { KeyPairs, KeyVault } from '../../ports/signing-keys.ts'
import { callKms, type KmsOfTenant, sent } from './kms-call.ts'

const SPEC = { ES256: 'ECC_NIST_P256', RS256: 'RSA_2048', Ed25519: 'ECC_NIST_EDWARDS25519' } as const
const SIGNING = {
  ES256: 'ECDSA_SHA_256',
  RS256: 'RSASSA_PKCS1_V1_5_SHA_256',
  Ed25519: 'ED25519_SHA_512',
} as const satisfies Record<OwnAlgorithm, string>

/**
 * Needs kms:CreateKey and kms:TagResource, both conditional on the tags, and kms:GetPublicKey. The key policy is KMS's default,
 * which leaves the decision to IAM: naming one here would need the right to replace it later.
 */
export const createHeldKeyPairs = (kms: KmsOfTenant): KeyPairs => ({
  async generate({ tenant, use, alg }) {
    const order: CreateKeyCommandInput = {
      KeySpec: SPEC[alg],
      KeyUsage: 'SIGN_VERIFY',
      Description: 'Mintmark signing key',
      Tags: [
        { TagKey: 'mintmark-tenant', TagValue: tenant },
        { TagKey: 'mintmark-use', TagValue: use },
      ],
    }
    const made = await callKms(kms, tenant, (client, options) => client.send(new CreateKeyCommand(order), options))
    const arn = sent(made.KeyMetadata?.Arn)
    return { publicKey: await publicKeyOf(kms, tenant, arn), sealed: new TextEncoder().encode(arn) }
  },
})

/** Signing keys are held; feed secrets are wrapped all the same (`secrets`). Needs kms:GetPublicKey and kms:Sign. */
export const createHeldKeyVault = (
  kms: KmsOfTenant,
  secrets: Pick<KeyVault, 'sealSecret' | 'openSecret'>,
): KeyVault => ({
  async open({ tenant, sealed, alg }: SigningKey) {
    const arn = new TextDecoder().decode(sealed)
    return {
      kind: 'elsewhere',
      publicKey: await publicKeyOf(kms, tenant, arn),
      async sign(message) {
        // A digest, because a token may be longer than the 4,096 bytes KMS takes as a message; Ed25519 has none.
        const MessageType = alg === 'Ed25519' ? 'RAW' : 'DIGEST'
        const order = { KeyId: arn, Message: message, MessageType, SigningAlgorithm: SIGNING[alg] } as const
        const signed = await callKms(kms, tenant, (client, options) => client.send(new SignCommand(order), options))
        return sent(signed.Signature)
      },
    }
  },
  sealSecret: secrets.sealSecret,
  openSecret: secrets.openSecret,
})

/** What KMS wrapped is binary and does not begin as an ARN does. */
export const isHeld = (sealed: Uint8Array): boolean => new TextDecoder().decode(sealed.subarray(0, 4)) === 'arn:'

const publicKeyOf = async (kms: KmsOfTenant, tenant: string, arn: string): Promise<Uint8Array> => {
  if (arn.length > LIMITS.patternCharsMax) throw new TypeError('not the ARN of a key')
  const order = { KeyId: arn }
  const answer = await callKms(kms, tenant, (client, options) => client.send(new GetPublicKeyCommand(order), options))
  return sent(answer.PublicKey)
}
