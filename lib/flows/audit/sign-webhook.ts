// Signs a request to a webhook for whoever sends it and has no key. It names a tenant, a URL and the digest of a body: the URL must
// be that of a webhook in the tenant's document as it is now, and the text that is signed is made here, behind the signer.
import type { MessageSignature, MessageSigner, WebhookRequest } from '../../ports/sinks.ts'
import type { TenantConfigStore } from '../../ports/tenants.ts'

export type SignWebhookPorts = {
  readonly configs: Pick<TenantConfigStore, 'latest'>
  /** URLs of the webhooks that a stored document has as sinks, as they go on the wire. */
  readonly webhooksIn: (document: string) => readonly string[]
  readonly signer: MessageSigner
}

export type NamedWebhook = WebhookRequest & { readonly tenant: string }

/** Null: no such tenant, one that was removed, or none of its webhooks has this URL. Throws Unavailable. */
export const signNamedWebhook = async (
  { configs, webhooksIn, signer }: SignWebhookPorts,
  { tenant, url, digest }: NamedWebhook,
): Promise<MessageSignature | null> => {
  const current = await configs.latest(tenant)
  if (current === null || current.tombstonedAtSeconds !== null) return null
  return webhooksIn(current.version.document).includes(url) ? signer.sign(tenant, { url, digest }) : null
}
