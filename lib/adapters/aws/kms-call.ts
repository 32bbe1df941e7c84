// One call of KMS, and what its failures mean: data that does not open is a fault of the data; everything else, a denial and a
// throttle alike, is an outage, for it says nothing about the data.
import type { KMSClient } from '@aws-sdk/client-kms'
import { LIMITS } from '../../domain/limits.ts'
import type { KeyUse, OwnAlgorithm } from '../../domain/signing-key.ts'
import { Unavailable } from '../../domain/unavailable.ts'

/** A client with the rights of that tenant's data session (tag `mintmark-tenant`); the same for all in a silo. */
export type KmsOfTenant = (tenant: string) => KMSClient | Promise<KMSClient>

/**
 * The encryption context of a signing key. Key policies bind `tenant` and `use` (docs/keys-aws.md). The kid is not in it: it is
 * known only after KMS made the pair, and it is the thumbprint of the public key, which is derived again at every opening.
 */
export const signingKeyContext = (owner: {
  readonly tenant: string
  readonly use: KeyUse
  readonly alg: OwnAlgorithm
}) => ({
  tenant: owner.tenant,
  use: owner.use,
  alg: owner.alg,
})

/** The encryption context of a tenant's feed secret. */
export const feedSecretContext = (tenant: string) => ({ tenant, use: 'feed-secret' })

/** `ask` gets the signal under which it must stop. Throws Unavailable('signing_key_unavailable'), or an Error: altered. */
export const callKms = async <T>(
  kmsOf: KmsOfTenant,
  tenant: string,
  ask: (kms: KMSClient, options: { readonly abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> => {
  try {
    return await ask(await kmsOf(tenant), { abortSignal: AbortSignal.timeout(LIMITS.kmsCallMs) })
  } catch (error) {
    if (error instanceof Unavailable) throw error
    if (error instanceof Error && ALTERED.has(error.name))
      throw new Error('the sealed data, its owner or its KMS key is another', { cause: error })
    throw new Unavailable('signing_key_unavailable', undefined, { cause: error })
  }
}

/** What KMS says of ciphertext or context that were changed, and of ciphertext of another key. */
const ALTERED: ReadonlySet<string> = new Set(['InvalidCiphertextException', 'IncorrectKeyException'])

/** A member that KMS always sends. */
export const sent = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Unavailable('signing_key_unavailable')
  return value
}
