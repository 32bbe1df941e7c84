// Pushes and polls over a real store, real keys and the real HTTP client, with a clock that is set by hand.
import { randomUUID } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { createReceiverHttp } from '../../lib/adapters/http/receiver-http.ts'
import { createLocalKeyRing } from '../../lib/adapters/keys/local-key-ring.ts'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createReceivers } from '../../lib/adapters/sqlite/receivers.ts'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { publishedKeys, SET_SLOT } from '../../lib/domain/key-rotation.ts'
import type { Revocation } from '../../lib/domain/revocation.ts'
import type { ReceiverRule } from '../../lib/domain/tenant-config.ts'
import { rotateKeys } from '../../lib/flows/keys/rotate-keys.ts'
import type { PushPorts } from '../../lib/flows/revocation/push-revocations.ts'
import { createSetSource, type SetSigner } from '../../lib/flows/revocation/sign-set.ts'
import type { KeyRing } from '../../lib/ports/signing-keys.ts'
import { jwksDocument } from '../../lib/wire/jwks.ts'
import { temporaryDirectory } from '../adapters/sqlite/temporary-database.ts'
import { NOW_SECONDS, sampleConfig, sampleRevocation } from '../contract/sample-rows.ts'
import { ownKeys } from './own-keys.ts'
import { authorityPem } from './receiver.ts'

const TENANT = 'acme'
export const BENCH_ISSUER = `https://sts.example.com/t/${TENANT}`

const documentOf = (rules: readonly ReceiverRule[]): string =>
  JSON.stringify({ tenant: TENANT, receivers: Object.fromEntries(rules.map(({ name, ...rule }) => [name, rule])) })

export const receiverBench = async (rules: readonly ReceiverRule[], egressAllow = ['127.0.0.0/8', '::1/128']) => {
  const dataDir = temporaryDirectory()
  const open = () => {
    const opened = openDatabase({ dataDir, dev: false })
    onTestFinished(() => opened.close())
    return opened
  }
  const database = open()
  const keys = ownKeys()
  await rotateKeys(keys, { tenant: TENANT, needed: [SET_SLOT] })
  const store = createRevocationStore(database)
  let current = rules
  let version = 0
  const apply = async (next: readonly ReceiverRule[]) => {
    current = next
    version += 1
    await createTenantConfigStore(database).put(
      sampleConfig({ tenant: TENANT, version, digest: randomUUID(), document: documentOf(next) }),
    )
  }
  await apply(rules)
  const ring = createLocalKeyRing({ ...keys, use: 'signal' })
  const state: SetSigner['state'] = {
    read: async () => ({ configVersion: 1, revocations: [], keyState: 'active' }),
  }
  const sourceOf = (signing: Pick<KeyRing, 'active' | 'signCompact' | 'handle' | 'invalidate'>) =>
    createSetSource({
      keys: signing,
      state,
      digest: nodeDigest,
    })
  const portsOn = (opened = database): PushPorts => ({
    source: sourceOf(ring),
    tenants: { current: async () => ({ tenant: TENANT, issuerUrl: BENCH_ISSUER, receivers: current }) as never },
    receivers: createReceivers(opened),
    http: createReceiverHttp({ dev: false, egressAllow, ca: authorityPem }),
    secrets: { text: async (name) => `Bearer ${name}` },
    clock: keys.clock,
    random: () => 0.5,
    holder: randomUUID(),
    isStopping: () => false,
  })
  const block = (value: string, over: Partial<Revocation> = {}) =>
    store.put(sampleRevocation({ id: randomUUID(), tenant: TENANT, kind: 'run', issuer: 'github', value, ...over }))
  return {
    database,
    open,
    keys,
    ring,
    state,
    sourceOf,
    ports: portsOn(),
    portsOn,
    apply,
    block,
    lift: ({ id }: Revocation) => store.lift({ tenant: TENANT, id, by: 'x', reason: 'x', atSeconds: NOW_SECONDS }),
    published: async () => jwksDocument(publishedKeys(await keys.store.list(TENANT), 'signal')),
    stateOf: async (name: string) =>
      (await createReceivers(database).list(TENANT)).find((receiver) => receiver.name === name)!,
    told: () =>
      database
        .read((sql) => sql("SELECT body FROM control_change WHERE what = 'receiver' ORDER BY seq").all())
        .map(({ body }) => JSON.parse(String(body)) as { receiver: string; seq: number; problem: string | null }),
  }
}

export const webhook = (url: string, name = 'edge'): ReceiverRule => ({
  name,
  type: 'webhook',
  url,
  authorization: null,
})
