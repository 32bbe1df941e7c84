// Notes and requests to webhooks, signed by the log key of a tenant: the key ring has the private half, the rows the public one.
import { hash } from 'node:crypto'
import { LOG_SLOT } from '../../domain/key-rotation.ts'
import type { SigningKey } from '../../domain/signing-key.ts'
import type { Sha256 } from '../../domain/tlog/merkle.ts'
import { type NoteKey, noteOf, verifierKey } from '../../domain/tlog/signed-note.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { KeyRing, SigningKeyStore } from '../../ports/signing-keys.ts'
import type { MessageSigner } from '../../ports/sinks.ts'
import type { LogSigner } from '../../ports/tenant-log.ts'
import { signatureBase } from '../../wire/message-signature.ts'

/** Through text: asking for a buffer costs as much again as the hash of a node. */
export const nodeSha256: Sha256 = (data) => Buffer.from(hash('sha256', data, 'binary'), 'binary')

type Store = Pick<SigningKeyStore, 'list'>
type Ring = Pick<KeyRing, 'active' | 'sign' | 'invalidate'>

/** The ring's key may have been tainted by another process a moment ago: what it signs now nobody would believe. */
const logKeyOf = async (store: Store, ring: Ring, tenant: string) => {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const ready = await ring.active(tenant, LOG_SLOT.use, LOG_SLOT.alg)
    const row = (await store.list(tenant)).find(({ kid }) => kid === ready.kid)
    if (row !== undefined && isPublished(row)) return { ready, row }
    ring.invalidate(tenant)
  }
  throw new Unavailable('signing_key_unavailable')
}

export const createLogSigner = (store: Store, ring: Ring): LogSigner => ({
  async sign(tenant, name, text) {
    const { ready, row } = await logKeyOf(store, ring, tenant)
    const signature = Buffer.from(await ring.sign(ready, text), 'base64url')
    return noteOf(nodeSha256, text, [{ key: noteKeyOf(row, name), signature }])
  },
  verifierKeys: (tenant, name) => logVerifierKeys(store, tenant, name),
})

export const createMessageSigner = (store: Store, ring: Ring, clock: Pick<Clock, 'nowSeconds'>): MessageSigner => ({
  async sign(tenant, request) {
    const { ready } = await logKeyOf(store, ring, tenant)
    const made = { kid: ready.kid, createdSeconds: clock.nowSeconds() }
    const signature = await ring.sign(ready, signatureBase({ ...request, ...made }))
    return { ...made, signature: Buffer.from(signature, 'base64url').toString('base64') }
  },
})

/** Also of keys that signed once and are retired: what they signed is still to be verified. Never of one that is tainted. */
export const logVerifierKeys = async (store: Store, tenant: string, name: string): Promise<string[]> =>
  linesOf(await publicLogKeys(store, tenant), name)

/** Those tainted since: what they sign says nothing, but what an anchor saw of them when they were good is still compared. */
export const taintedLogKeys = async (store: Store, tenant: string, name: string): Promise<string[]> => {
  const isOne = ({ use, state, provenAtSeconds }: SigningKey) =>
    use === LOG_SLOT.use && state === 'tainted' && provenAtSeconds !== null
  return linesOf((await store.list(tenant)).filter(isOne), name)
}

const linesOf = (rows: readonly SigningKey[], name: string): string[] =>
  rows.map((row) => verifierKey(nodeSha256, noteKeyOf(row, name)))

/** The same keys as a JWK Set (RFC 8037), for whoever verifies what webhooks are sent. */
export const logJwks = async (store: Store, tenant: string) => ({
  keys: (await publicLogKeys(store, tenant)).map(({ publicJwk, kid }) => ({
    ...publicJwk,
    kid,
    use: 'sig',
    alg: 'Ed25519',
  })),
})

const isPublished = ({ state, provenAtSeconds }: SigningKey): boolean => state !== 'tainted' && provenAtSeconds !== null

const publicLogKeys = async (store: Store, tenant: string): Promise<SigningKey[]> =>
  (await store.list(tenant))
    .filter((row) => row.use === LOG_SLOT.use && isPublished(row))
    .sort((a, b) => Number(b.state === 'active') - Number(a.state === 'active'))

const noteKeyOf = ({ publicJwk }: SigningKey, name: string): NoteKey => ({
  name,
  publicKey: Buffer.from(publicJwk['x'] ?? '', 'base64url'),
})
