// A change of a tenant's revocations, signed for one of its receivers. Signed again, it is the same claims under the same jti.
import { SET_SLOT } from '../../domain/key-rotation.ts'
import { audienceOf, jtiOf, type RevocationChange, setClaims, setHeader } from '../../domain/revocation-set.ts'
import type { ReceiverRule, TenantConfig } from '../../domain/tenant-config.ts'
import type { Digest } from '../../ports/system.ts'
import { type SignalKeyPorts, signalKey } from '../keys/signal-key.ts'
import { signCompact } from '../sign-compact.ts'

export type SetSigner = SignalKeyPorts & { readonly digest: Digest }

type Place = Pick<TenantConfig, 'tenant' | 'issuerUrl'>

/** The jti a change has at this receiver. */
export const jtiFor = (
  { digest }: Pick<SetSigner, 'digest'>,
  { issuerUrl }: Pick<TenantConfig, 'issuerUrl'>,
  receiver: ReceiverRule,
  change: RevocationChange,
): string => jtiOf(change, audienceOf(receiver, issuerUrl), (text) => digest.sha256(text))

/** A compact JWS. Throws Unavailable. */
export const signSet = async (
  signer: SetSigner,
  config: Place,
  receiver: ReceiverRule,
  change: RevocationChange,
): Promise<{ readonly jti: string; readonly set: string }> => {
  const { tenant, issuerUrl } = config
  const jti = jtiFor(signer, config, receiver, change)
  const handle = await signer.keys.handle(tenant, change.kind, change.issuer, change.value)
  const claims = setClaims(change, { tenant, issuerUrl, audience: audienceOf(receiver, issuerUrl), jti, handle })
  const key = await signalKey(signer, tenant, SET_SLOT)
  return { jti, set: await signCompact(signer.keys, key, setHeader(key.alg, key.kid), JSON.stringify(claims)) }
}
