// The key ring of one process: has its vault open a tenant's active keys and signs with them, synchronously where the key is
// here. Makes the revocation handles of design §6. Keys are cached for a minute at most: then a process that slept through a
// rotation cannot sign with a key that is about to leave the key set.
import { createHmac, createSecretKey, hash, KeyObject, randomBytes } from 'node:crypto'
import { activeKeyOf, type KeySlot } from '../../domain/key-rotation.ts'
import type { KeyUse } from '../../domain/signing-key.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { KeyRing, KeyVault, ReadyKey, SigningKeyStore } from '../../ports/signing-keys.ts'
import { BoundedCache } from './bounded-cache.ts'
import { HandleCache } from './handle-cache.ts'
import { openKey, RemoteSigner, signWith } from './opened-key.ts'

export const KEY_CACHE_MS_MAX = 60_000
const TENANTS_MAX = 10_000
const HANDLES_MAX = 20_000
/** 12 bytes: four base64url characters for each three, so that cutting the text is cutting the bytes. */
const HANDLE_CHARS = 16
const SECRET_BYTES = 32

/** Their values are secret to begin with (a random id, a hash of evidence): no secret is needed to hide them. */
const PLAIN_KINDS: ReadonlySet<string> = new Set(['credential', 'assertion'])

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
  const secrets = new BoundedCache<KeyObject>(TENANTS_MAX)
  const handles = new HandleCache(HANDLES_MAX)

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

  const secretOf = async (tenant: string): Promise<KeyObject> => {
    const known = secrets.get(tenant)
    if (known !== undefined) return known
    const plain = await orUnavailable(async () => {
      const sealed = await store.feedSecret(tenant, () => vault.sealSecret(tenant, randomBytes(SECRET_BYTES)))
      return vault.openSecret(tenant, sealed)
    })
    const secret = createSecretKey(plain)
    plain.fill(0)
    secrets.set(tenant, secret)
    return secret
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
    sign({ alg, handle }, signingInput) {
      if (handle instanceof KeyObject || handle instanceof RemoteSigner) return signWith(handle, alg, signingInput)
      throw new TypeError('the key is not from this ring')
    },
    invalidate(tenant) {
      tenants.delete(tenant)
      // It is the same when it is read again; but a tenant that was removed must leave no secret in memory.
      secrets.delete(tenant)
    },
    handle(tenant, kind, issuer, value) {
      // Of one credential each: nothing would ever be found again in a cache.
      if (PLAIN_KINDS.has(kind))
        return hash('sha256', handleText(kind, issuer, value), 'base64url').slice(0, HANDLE_CHARS)
      const known = handles.get(tenant, kind, issuer, value)
      if (known !== undefined) return known
      const make = (secret: KeyObject): string => {
        const mac = createHmac('sha256', secret)
          .update(handleText(kind, issuer, value))
          .digest('base64url')
        const made = mac.slice(0, HANDLE_CHARS)
        handles.set(tenant, kind, issuer, value, made)
        return made
      }
      const secret = secrets.get(tenant)
      return secret === undefined ? secretOf(tenant).then(make) : make(secret)
    },
  }
}

const handleText = (kind: string, issuer: string, value: string): string => `${kind}\0${issuer}\0${value}`

const slotName = ({ use, alg }: KeySlot): string => `${use} ${alg}`

// A key that does not open is the broker's trouble, never the caller's: 503, and the operator finds the cause in the log.
const orUnavailable = async <T>(open: () => Promise<T>): Promise<T> => {
  try {
    return await open()
  } catch (error) {
    throw error instanceof Unavailable ? error : new Unavailable('signing_key_unavailable', undefined, { cause: error })
  }
}
