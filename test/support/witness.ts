// A witness by the letter of C2SP tlog-witness and tlog-cosignature, with nothing of ours but the test for consistency, which has
// vectors of its own: one log, one Ed25519 key.
import { generateKeyPairSync, hash, type KeyObject, sign, verify } from 'node:crypto'
import { isConsistent } from '../../lib/domain/tlog/merkle.ts'
import { startReceiver } from './sink-receiver.ts'

const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer')
const base64 = (text: string): Buffer => Buffer.from(text, 'base64')
const rawKey = (key: KeyObject): Buffer => Buffer.from(String(key.export({ format: 'jwk' }).x), 'base64url')
const idOf = (name: string, data: Buffer): Buffer =>
  Buffer.from(sha256(Buffer.concat([Buffer.from(`${name}\n`), data]))).subarray(0, 4)

const NAME = 'witness.example/w1'
const NOW_SECONDS = 1_900_000_000

export const startWitness = async (logKeyOf: (origin: string) => KeyObject | Promise<KeyObject>) => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const data = Buffer.concat([Buffer.from([4]), rawKey(publicKey)])
  const seen = new Map<string, { size: number; root: Buffer }>()
  const answer = async (text: string): Promise<readonly [number, string]> => {
    const at = text.indexOf('\n\n')
    const [first, ...hashes] = text.slice(0, at).split('\n') as [string, ...string[]]
    const note = text.slice(at + 2)
    const old = Number(/^old (\d+)$/.exec(first)?.[1] ?? Number.NaN)
    const end = note.indexOf('\n\n')
    const body = note.slice(0, end + 1)
    const [origin, digits, root] = body.split('\n') as [string, string, string]
    const signature = base64(
      note
        .slice(end + 2)
        .trim()
        .split(' ')
        .at(-1)!,
    ).subarray(4)
    if (!verify(null, Buffer.from(body), await logKeyOf(origin), signature)) return [403, '']
    const size = Number(digits)
    if (Number.isNaN(old) || old > size) return [400, '']
    const before = seen.get(origin) ?? { size: 0, root: Buffer.alloc(0) }
    if (old !== before.size) return [409, `${before.size}\n`]
    if (old === size && old > 0 && !before.root.equals(base64(root))) return [409, `${before.size}\n`]
    const grown = { from: old, fromRoot: before.root, size, root: base64(root), proof: hashes.map(base64) }
    if (old === 0 ? hashes.length > 0 : !isConsistent(sha256, grown)) return [422, '']
    seen.set(origin, { size, root: base64(root) })
    const signed = sign(null, Buffer.from(`cosignature/v1\ntime ${NOW_SECONDS}\n${body}`), privateKey)
    const time = Buffer.alloc(8)
    time.writeBigUInt64BE(BigInt(NOW_SECONDS))
    return [200, `— ${NAME} ${Buffer.concat([idOf(NAME, data), time, signed]).toString('base64')}\n`]
  }
  const receiver = await startReceiver(({ path, text }, response) => {
    if (path !== '/w/add-checkpoint') return void response.writeHead(404).end()
    void answer(text).then(([status, body]) => response.writeHead(status, { 'content-type': 'text/plain' }).end(body))
  })
  /** By the specification: key id, time, signature; over the text of the note. */
  const hasSigned = (note: string): boolean => {
    const line = note.split('\n').find((one) => one.startsWith(`— ${NAME} `))
    if (line === undefined) return false
    const bytes = base64(line.split(' ').at(-1)!)
    const text = `cosignature/v1\ntime ${bytes.readBigUInt64BE(4)}\n${note.slice(0, note.indexOf('\n\n') + 1)}`
    return verify(null, Buffer.from(text), publicKey, bytes.subarray(12))
  }
  return {
    receiver,
    url: `${receiver.url}/w`,
    vkey: `${NAME}+${idOf(NAME, data).toString('hex')}+${data.toString('base64')}`,
    seen,
    hasSigned,
  }
}
