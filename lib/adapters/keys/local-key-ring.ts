// The key ring of one process: has its vault open a tenant's active keys and signs with them, synchronously where the key is
// here. Keys are cached for a minute at most: then a process that slept through a rotation cannot sign with a key that is about to
// leave the key set.
import { KeyObject } from 'node:crypto'
import { activeKeyOf, type KeySlot } from '../../domain/key-rotation.ts'
import type { KeyUse } from '../../domain/signing-key.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { KeyRing, KeyVault, ReadyKey, SigningKeyStore } from '../../ports/signing-keys.ts'
import { BoundedCache } from './bounded-cache.ts'
import { openKey, orUnavailable, RemoteSigner, signWith } from './opened-key.ts'
import { createRevocationHandles } from './revocation-handles.ts'

export const KEY_CACHE_MS_MAX = 60_000
const TENANTS_MAX = 10_000

type Cached = { readonly key: ReadyKey; readonly wallMs: number; readonly monotonicMs: number }
type TenantKeys = { readonly ready: Map<string, Cached>; readonly loading: Map<string, Promise<ReadyKey>> }

export type KeyRingPorts = {
  readonly store: Pick<SigningKeyStore, 'list' | 'feedSecret'>
  readonly vault: KeyVault
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>
  /** Whose ring it is: it opens the keys of this use and no other (design §2). Default: mint's. */
  readonly use?: KeyUse
}

export const createLocalKeyRing = ({ store, vault, clock, use: ownUse = 'token' }: KeyRingPorts): KeyRing => {
  const tenants = new BoundedCache<TenantKeys>(TENANTS_MAX)
  const handles = createRevocationHandles({ store, vault })

  /** Age by both clocks, the later one counts: a suspended machine stops one of them, an operator may set the other. */
  const isFresh = ({ wallMs, monotonicMs }: Cached): boolean =>
    Math.max(clock.monotonicMs() - monotonicMs, Math.abs(clock.nowMs() - wallMs)) < KEY_CACHE_MS_MAX

  const tenantKeys = (tenant: string): TenantKeys => {
    const known = tenants.get(tenant)
    if (known !== undefined) return known
    const made: TenantKeys = { ready: new Map(), loading: new Map() }
    tenants.set(tenant, made)
    return made
  }

  const load = async (keys: TenantKeys, tenant: string, slot: KeySlot): Promise<ReadyKey> => {
    // Taken before the read: the age of what was read is never understated.
    const at = { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() }
    const row = activeKeyOf(await store.list(tenant), slot)
    if (row === null) throw new Unavailable('signing_key_unavailable')
    const known = keys.ready.get(slotName(slot))?.key
    const key =
      known?.kid === row.kid
        ? known
        : { kid: row.kid, alg: row.alg, handle: (await orUnavailable(() => openKey(vault, row))).signer }
    // An invalidation in the meantime replaced `keys`: what was read before it is used once and not remembered.
    keys.ready.set(slotName(slot), { key, ...at })
    return key
  }

  return {
    peek(tenant, use, alg) {
      const cached = tenants.get(tenant)?.ready.get(slotName({ use, alg }))
      return cached !== undefined && isFresh(cached) ? cached.key : undefined
    },
    async active(tenant, use, alg) {
      if (use !== ownUse) throw new TypeError('the ring of one use was asked for a key of another')
      const slot = { use, alg }
      const name = slotName(slot)
      const keys = tenantKeys(tenant)
      const cached = keys.ready.get(name)
      if (cached !== undefined && isFresh(cached)) return cached.key
      const loading = keys.loading.get(name) ?? load(keys, tenant, slot).finally(() => keys.loading.delete(name))
      keys.loading.set(name, loading)
      return loading
    },
    sign,
    signCompact(key, header, payload) {
      const signingInput = `${encodeText(header)}.${encodeText(payload)}`
      const signature = sign(key, signingInput)
      return typeof signature === 'string'
        ? `${signingInput}.${signature}`
        : signature.then((late) => `${signingInput}.${late}`)
    },
    invalidate(tenant) {
      tenants.delete(tenant)
      // The secret is the same when it is read again; but the tenant may have been removed.
      handles.forget(tenant)
    },
    handle: handles.handle,
  }
}

const sign: KeyRing['sign'] = ({ alg, handle }, signingInput) => {
  if (handle instanceof KeyObject || handle instanceof RemoteSigner) return signWith(handle, alg, signingInput)
  throw new TypeError('the key is not from this ring')
}

const encodeText = (text: string): string => Buffer.from(text, 'utf8').toString('base64url')

const slotName = ({ use, alg }: KeySlot): string => `${use} ${alg}`
