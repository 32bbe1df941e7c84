// Anchors over a real log and real signatures: what they keep, and that a log which is not the one they know is said aloud.
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { anchorFileProblem, createAnchorFile } from '../../../lib/adapters/files/anchor-file.ts'
import { createGuardedHttp } from '../../../lib/adapters/http/guarded-http.ts'
import { createWitness } from '../../../lib/adapters/http/witness.ts'
import { nodeSha256 } from '../../../lib/adapters/keys/log-signer.ts'
import { nodeVerifyEd25519 } from '../../../lib/adapters/keys/note-verifier.ts'
import { createAnchorRecords } from '../../../lib/adapters/sqlite/anchor-records.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { lastWitnessed, parseWitnessKey } from '../../../lib/domain/tlog/cosignature.ts'
import { noteOf, openNote } from '../../../lib/domain/tlog/signed-note.ts'
import { anchorCheckpoints } from '../../../lib/flows/audit/anchor-checkpoints.ts'
import { checkpointLogs } from '../../../lib/flows/audit/checkpoint-log.ts'
import type { Anchor } from '../../../lib/ports/anchors.ts'
import { temporaryDirectory } from '../../adapters/sqlite/temporary-database.ts'
import { sampleRecord } from '../../contract/sample-rows.ts'
import { openAudit, treeLogOver } from '../../support/tree-log.ts'
import { startWitness } from '../../support/witness.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const raw = Buffer.from(String(publicKey.export({ format: 'jwk' }).x), 'base64url')
const http = createGuardedHttp({ dev: true, egressAllow: [], ports: 'any' })

const setUp = async () => {
  const audit = openAudit(temporaryDirectory())
  onTestFinished(() => audit.close())
  const { log, store } = treeLogOver(audit)
  const alarms: string[] = []
  let nowSeconds = 1_900_000_000
  const clock = { nowSeconds: () => nowSeconds }
  const records = createAnchorRecords(audit)
  const signer = {
    sign: async (_tenant: string, name: string, text: string) =>
      noteOf(nodeSha256, text, [
        { key: { name, publicKey: raw }, signature: sign(null, Buffer.from(text), privateKey) },
      ]),
  }
  const grow = async (count: number, tenant = 'acme') => {
    await log.append(
      tenant,
      Array.from({ length: count }, () => ({
        kind: 'grant' as const,
        record: sampleRecord({ tenant, decisionId: randomUUID() }),
      })),
    )
    await checkpointLogs({ store, signer, sha256: nodeSha256, clock, alarm: (kind) => void alarms.push(kind) })
    return (await store.checkpoint(tenant))!
  }
  const anchor = (...anchors: Anchor[]) =>
    anchorCheckpoints({
      log: store,
      anchors,
      records,
      sha256: nodeSha256,
      clock,
      alarm: (kind) => void alarms.push(kind),
    })
  const wait = (seconds: number) => {
    nowSeconds += seconds
  }
  return { grow, anchor, alarms, records, store, wait }
}
const witnessed = async () => {
  const witness = await startWitness(() => publicKey)
  const key = parseWitnessKey(nodeSha256, witness.vkey)!
  return { witness, made: createWitness({ url: witness.url, key }, { http, verify: nodeVerifyEd25519 }) }
}

test('a witness signs every growth it is shown, and the log serves its signatures with the checkpoint', async () => {
  const { grow, anchor, records, alarms } = await setUp()
  const { witness, made } = await witnessed()
  for (const count of [1, 1, 30, 300, 1]) {
    const { note, size } = await grow(count)
    await anchor(made)
    const [kept] = await records.of('acme')
    expect(kept).toMatchObject({ anchor: witness.url, size })
    expect(witness.hasSigned(kept!.note)).toBe(true)
    // Still the log's own note: tools that know nothing of witnesses read it as before.
    const keys = [{ name: note.slice(0, note.indexOf('\n')), publicKey: raw }]
    expect(openNote({ sha256: nodeSha256, verify: nodeVerifyEd25519 }, kept!.note, keys)).not.toBeNull()
    expect(lastWitnessed(await records.of('acme'))).toBe(kept!.note)
  }
  expect(alarms).toEqual([])
})

test('a witness that has seen more than was noted here is asked from there; nothing is sent while the log stands still', async () => {
  const { grow, anchor, records, store, alarms } = await setUp()
  const { witness, made } = await witnessed()
  await grow(5)
  await anchor(made)
  await grow(5)
  // Its answer was lost: it knows a size that the broker does not know it to know.
  const { size } = (await store.checkpoint('acme'))!
  const lost: Anchor = {
    name: made.name,
    async add(checkpoint) {
      await made.add(checkpoint)
      return { kind: 'not_kept' }
    },
  }
  await anchor(lost)
  expect((await records.of('acme'))[0]!.size).toBe(size / 2)
  await anchor(made)
  expect((await records.of('acme'))[0]!.size).toBe(size)
  const asked = witness.receiver.all.length
  await anchor(made)
  expect(witness.receiver.all).toHaveLength(asked)
  expect(alarms).toEqual(['checkpoint_not_anchored'])
})

test('a log that was written anew, or cut, is not the one its witness knows: that is said aloud, and not signed', async () => {
  const { witness, made } = await witnessed()
  const first = await setUp()
  await first.grow(10)
  await first.anchor(made)
  const before = JSON.stringify([...witness.seen])
  for (const count of [3, 10, 40]) {
    const other = await setUp()
    await other.grow(count)
    await other.anchor(made)
    expect(other.alarms, `${count} records`).toEqual(['anchor_disagrees'])
    expect(await other.records.of('acme')).toEqual([])
  }
  expect(JSON.stringify([...witness.seen])).toBe(before)
})

test('a log that is shorter than what an anchor kept, or as long and another, is said aloud before it has grown', async () => {
  const { witness, made } = await witnessed()
  const first = await setUp()
  await first.grow(10)
  await first.anchor(made)
  const [record] = await first.records.of('acme')
  const asked = witness.receiver.all.length
  for (const count of [3, 10]) {
    const other = await setUp()
    await other.grow(count)
    await other.records.put('acme', record!)
    await other.anchor(made)
    expect(other.alarms, `${count} records`).toEqual(['anchor_disagrees'])
  }
  expect(witness.receiver.all).toHaveLength(asked)
})

test('an anchor that no longer knows what it kept is not shown the log anew: it would sign any', async () => {
  const { grow, anchor, alarms } = await setUp()
  const { witness, made } = await witnessed()
  await grow(5)
  await anchor(made)
  witness.seen.clear()
  await grow(5)
  await anchor(made)
  expect(alarms).toEqual(['anchor_disagrees'])
  expect(witness.seen.size).toBe(0)
})

/** Always answers the same, and keeps which logs it was asked for. */
const answering = (kind: 'not_kept' | 'unreachable') => {
  const asked: string[] = []
  const made: Anchor = {
    name: 'stub',
    async add({ note }) {
      asked.push(note.slice(0, note.indexOf('\n')))
      return { kind }
    },
  }
  return { made, asked }
}
const TENANTS = Array.from({ length: LIMITS.anchorMissesMax + 4 }, (_, at) => `tenant${at}`)

test('tenants whose logs an anchor does not take, however many, keep no other log from it', async () => {
  const { grow, anchor } = await setUp()
  for (const tenant of TENANTS) await grow(1, tenant)
  const { made, asked } = answering('not_kept')
  await anchor(made)
  expect(new Set(asked).size).toBe(TENANTS.length)
})

test('an anchor that is down is asked for a few logs a minute, and every minute for others', async () => {
  const { grow, anchor, wait } = await setUp()
  for (const tenant of TENANTS) await grow(1, tenant)
  const { made, asked } = answering('unreachable')
  await anchor(made)
  expect(asked).toHaveLength(LIMITS.anchorMissesMax)
  wait(LIMITS.anchorEveryMs / 1000)
  await anchor(made)
  expect(new Set(asked).size).toBe(TENANTS.length)
})

test('what a witness answers is kept only if it is its signature of this checkpoint', async () => {
  const { grow, anchor, records, alarms } = await setUp()
  const { witness, made } = await witnessed()
  await grow(1)
  const honest = witness.receiver.reply
  for (const body of [
    '',
    '— witness.example/w1 AAAA\n',
    `— other ${'A'.repeat(104)}\n`,
    'x'.repeat(LIMITS.witnessAnswerBytesMax + 1),
  ]) {
    witness.receiver.reply = (_, response) => void response.writeHead(200).end(body)
    await anchor(made)
  }
  expect(await records.of('acme')).toEqual([])
  expect(alarms).toEqual(Array(4).fill('checkpoint_not_anchored'))
  witness.receiver.reply = honest
  await anchor(made)
  expect(await records.of('acme')).toHaveLength(1)
})

test('a key that is none of a witness is refused', () => {
  const log = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
  for (const text of ['', log, 'witness+00000000+BAAA']) expect(parseWitnessKey(nodeSha256, text)).toBeNull()
})

test('a file gets the checkpoint of every tenant, behind what is there, and is never made', async () => {
  const { grow, anchor, alarms, records } = await setUp()
  const path = join(temporaryDirectory(), 'anchors')
  await grow(1)
  await grow(1, 'globex')
  await anchor(createAnchorFile(path))
  expect(alarms).toEqual(['checkpoint_not_anchored'])
  expect(anchorFileProblem(path)).toBe('cannot_append')
  writeFileSync(path, 'what was there')
  expect(anchorFileProblem(path)).toBe('own_file')
  const acme = await grow(2)
  await anchor(createAnchorFile(path))
  const globex = (await records.of('globex'))[0]!
  const text = readFileSync(path, 'utf8')
  expect(text.startsWith('what was there\n\n')).toBe(true)
  for (const { note } of [acme, globex]) expect(text.split(`\n\n${note}`)).toHaveLength(2)
  symlinkSync(path, `${path}-link`)
  expect(anchorFileProblem(`${path}-link`)).toBe('cannot_append')
  chmodSync(path, 0o600)
})
