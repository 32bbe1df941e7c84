// What signs for a log: never a key that was tainted a moment ago, whoever did it.
import { beforeEach, expect, test } from 'vitest'
import { createLocalKeyRing } from '../../../lib/adapters/keys/local-key-ring.ts'
import {
  createLogSigner,
  createMessageSigner,
  logJwks,
  logVerifierKeys,
  nodeSha256,
} from '../../../lib/adapters/keys/log-signer.ts'
import { nodeVerifyEd25519 } from '../../../lib/adapters/keys/note-verifier.ts'
import { activeKeyOf, LOG_SLOT } from '../../../lib/domain/key-rotation.ts'
import { openNote, parseVerifierKey } from '../../../lib/domain/tlog/signed-note.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import { rotateKeys } from '../../../lib/flows/keys/rotate-keys.ts'
import { type OwnKeys, ownKeys } from '../../support/own-keys.ts'

const NAME = 'sts.example.com/t/acme/log'
const REQUEST = {
  url: 'https://audit.acme.example/events',
  digest: Buffer.from(nodeSha256(Buffer.from('[]'))).toString('base64'),
}

let keys: OwnKeys
let log: ReturnType<typeof createLogSigner>
let messages: ReturnType<typeof createMessageSigner>
beforeEach(async () => {
  keys = ownKeys()
  await rotate()
  const ring = createLocalKeyRing({ ...keys, use: 'log' })
  log = createLogSigner(keys.store, ring)
  messages = createMessageSigner(keys.store, ring, keys.clock)
})

const rotate = () => rotateKeys(keys, { tenant: 'acme', needed: [LOG_SLOT] })

/** As another process does it: this ring is not told. */
const taint = async (): Promise<string> => {
  const { kid } = activeKeyOf(await keys.store.list('acme'), LOG_SLOT)!
  expect(await keys.store.move('acme', kid, 'active', 'tainted', keys.clock.nowSeconds())).toBe(true)
  return kid
}

const isBelieved = async (note: string): Promise<boolean> => {
  const vkeys = await logVerifierKeys(keys.store, 'acme', NAME)
  const known = vkeys.flatMap((vkey) => parseVerifierKey(nodeSha256, vkey) ?? [])
  return openNote({ sha256: nodeSha256, verify: nodeVerifyEd25519 }, note, known) !== null
}

test('behind a taint the successor signs, checkpoints and messages, though the ring had the key before', async () => {
  expect(await isBelieved(await log.sign('acme', NAME, 'text\n'))).toBe(true)
  await messages.sign('acme', REQUEST)
  const tainted = await taint()
  await rotate()
  expect(await isBelieved(await log.sign('acme', NAME, 'text\n'))).toBe(true)
  const { kid } = await messages.sign('acme', REQUEST)
  expect(kid).not.toBe(tainted)
  expect((await logJwks(keys.store, 'acme')).keys).toContainEqual(expect.objectContaining({ kid }))
})

test('between a taint and its successor nothing is signed', async () => {
  await log.sign('acme', NAME, 'text\n')
  await taint()
  await expect(log.sign('acme', NAME, 'text\n')).rejects.toThrow(Unavailable)
  await expect(messages.sign('acme', REQUEST)).rejects.toThrow(Unavailable)
})
