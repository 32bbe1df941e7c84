// The revocation handles of design §6: what a token and the public feed say instead of names. A tenant's feed secret is opened once
// and kept; handles of long-lived names are kept too, those of one credential are not.
import { createHmac, createSecretKey, hash, type KeyObject, randomBytes } from 'node:crypto'
import type { KeyRing, KeyVault, SigningKeyStore } from '../../ports/signing-keys.ts'
import { BoundedCache } from './bounded-cache.ts'
import { HandleCache } from './handle-cache.ts'
import { orUnavailable } from './opened-key.ts'

const TENANTS_MAX = 10_000
const HANDLES_MAX = 20_000
/** 12 bytes: four base64url characters for each three, so that cutting the text is cutting the bytes. */
const HANDLE_CHARS = 16
const SECRET_BYTES = 32

/** Their values are secret to begin with (a random id, a hash of evidence): no secret is needed to hide them. */
const PLAIN_KINDS: ReadonlySet<string> = new Set(['credential', 'assertion'])

type HandlePorts = { readonly store: Pick<SigningKeyStore, 'feedSecret'>; readonly vault: KeyVault }

export type RevocationHandles = Pick<KeyRing, 'handle'> & {
  /** A tenant that was removed must leave no secret in memory. */
  readonly forget: (tenant: string) => void
}

export const createRevocationHandles = ({ store, vault }: HandlePorts): RevocationHandles => {
  const secrets = new BoundedCache<KeyObject>(TENANTS_MAX)
  const handles = new HandleCache(HANDLES_MAX)

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
    forget: (tenant) => secrets.delete(tenant),
  }
}

const handleText = (kind: string, issuer: string, value: string): string => `${kind}\0${issuer}\0${value}`
