// What a tenant publishes about itself: its issuer and the keys its tokens verify with. Reads only; touches no private key.
import { publishedKeys } from '../../domain/key-rotation.ts'
import type { SigningKey } from '../../domain/signing-key.ts'
import type { SigningKeyStore } from '../../ports/signing-keys.ts'
import type { TenantDirectory } from '../../ports/tenants.ts'

export type PublishPorts = { readonly tenants: TenantDirectory; readonly keys: Pick<SigningKeyStore, 'list'> }

export type Discovery = {
  readonly issuerUrl: string
  readonly tokenKeys: readonly SigningKey[]
  readonly signalKeys: readonly SigningKey[]
}

/** Null: no such tenant. Throws Unavailable. */
export const publishDiscovery = async ({ tenants, keys }: PublishPorts, tenant: string): Promise<Discovery | null> => {
  const peeked = tenants.peek(tenant)
  const config = peeked === undefined ? await tenants.current(tenant) : peeked
  if (config === null) return null
  const rows = await keys.list(tenant)
  return {
    issuerUrl: config.issuerUrl,
    tokenKeys: publishedKeys(rows, 'token'),
    signalKeys: publishedKeys(rows, 'signal'),
  }
}
