// A change of a tenant's revocations, signed for one of its receivers. Signed again, it is the same claims under the same jti.
import { SET_SLOT } from '../../domain/key-rotation.ts'
import { audienceOf, jtiOf, type RevocationChange, setClaims, setHeader } from '../../domain/revocation-set.ts'
import type { ReceiverRule, TenantConfig } from '../../domain/tenant-config.ts'
import type { ReceiverQueue } from '../../ports/receivers.ts'
import type { Digest } from '../../ports/system.ts'
import type { TenantDirectory } from '../../ports/tenants.ts'
import { type SignalKeyPorts, signalKey } from '../keys/signal-key.ts'

type Place = Pick<TenantConfig, 'tenant' | 'issuerUrl'>

export type SetSigner = SignalKeyPorts & { readonly digest: Digest }

/** `set`: a compact JWS. */
export type SignedSet = { readonly jti: string; readonly set: string }

/** Where SETs come from: from whoever has the signal key, which who sends them need not have. */
export type SetSource = {
  readonly digest: Digest
  /** Of changes of `config`'s tenant for one of its receivers, in their order. Throws Unavailable. */
  readonly sets: (
    config: Place,
    receiver: ReceiverRule,
    changes: readonly RevocationChange[],
  ) => Promise<readonly SignedSet[]>
}

/** The jti a change has at this receiver. */
export const jtiFor = (
  { digest }: { readonly digest: Digest },
  { issuerUrl }: Pick<TenantConfig, 'issuerUrl'>,
  receiver: ReceiverRule,
  change: RevocationChange,
): string => jtiOf(change, audienceOf(receiver, issuerUrl), (text) => digest.sha256(text))

/** With the key itself. */
export const createSetSource = (signer: SetSigner): SetSource => ({
  digest: signer.digest,
  async sets(config, receiver, changes) {
    const signed: SignedSet[] = []
    for (const change of changes) signed.push(await signSet(signer, config, receiver, change))
    return signed
  },
})

export type NamedSetPorts = SetSigner & {
  readonly tenants: Pick<TenantDirectory, 'current'>
  readonly receivers: Pick<ReceiverQueue, 'changes'>
}

export type NamedSets = { readonly tenant: string; readonly receiver: string; readonly seqs: readonly number[] }

/**
 * For whoever sends them and has no key: it names a receiver and numbers, and everything a SET says is read here. Null: there is
 * no such receiver, or not every number. Throws Unavailable.
 */
export const signNamedSets = async (
  ports: NamedSetPorts,
  { tenant, receiver: name, seqs }: NamedSets,
): Promise<readonly SignedSet[] | null> => {
  const config = await ports.tenants.current(tenant)
  const receiver = config?.receivers.find((rule) => rule.name === name)
  if (config === null || receiver === undefined) return null
  const changes = new Map((await ports.receivers.changes(tenant, seqs)).map((change) => [change.seq, change]))
  const named = seqs.flatMap((seq) => changes.get(seq) ?? [])
  return named.length < seqs.length ? null : createSetSource(ports).sets(config, receiver, named)
}

const signSet = async (
  signer: SetSigner,
  config: Place,
  receiver: ReceiverRule,
  change: RevocationChange,
): Promise<SignedSet> => {
  const { tenant, issuerUrl } = config
  const jti = jtiFor(signer, config, receiver, change)
  const handle = await signer.keys.handle(tenant, change.kind, change.issuer, change.value)
  const claims = setClaims(change, { tenant, issuerUrl, audience: audienceOf(receiver, issuerUrl), jti, handle })
  const key = await signalKey(signer, tenant, SET_SLOT)
  return { jti, set: await signer.keys.signCompact(key, setHeader(key.alg, key.kid), JSON.stringify(claims)) }
}
