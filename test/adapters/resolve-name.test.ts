// Names against a real name server on loopback that answers some and leaves others hanging.
import { createSocket } from 'node:dgram'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createResolve } from '../../lib/adapters/http/resolve-name.ts'
import { temporaryDirectory } from './sqlite/temporary-database.ts'

const TYPE_A = 1

/** Name (lower case) to IPv4 address; names below `hole` are never answered for, others do not exist. */
const startNameServer = async (addresses: Readonly<Record<string, string>>) => {
  const socket = createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (query, { port, address }) => {
    const labels: string[] = []
    let at = 12
    for (let length = query[at]!; length > 0; at += length + 1, length = query[at]!)
      labels.push(query.toString('latin1', at + 1, at + 1 + length))
    const name = labels.join('.').toLowerCase()
    asked.push(name)
    if (name.endsWith('hole')) return
    const question = query.subarray(12, at + 5)
    const found = question.readUInt16BE(question.length - 4) === TYPE_A ? addresses[name] : undefined
    const head = Buffer.alloc(12)
    head.writeUInt16BE(query.readUInt16BE(0), 0)
    head.writeUInt16BE(name in addresses ? 0x8180 : 0x8183, 2)
    head.writeUInt16BE(1, 4)
    head.writeUInt16BE(found === undefined ? 0 : 1, 6)
    const record = Buffer.from([0xc0, 12, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4, ...(found ?? '').split('.').map(Number)])
    socket.send(Buffer.concat([head, question, ...(found === undefined ? [] : [record])]), port, address)
  })
  await new Promise<void>((listening) => socket.bind(0, '127.0.0.1', listening))
  onTestFinished(() => {
    socket.close()
  })
  return { server: `127.0.0.1:${socket.address().port}`, asked }
}

const fileOf = (text: string): string => {
  const path = join(temporaryDirectory(), 'file')
  writeFileSync(path, text)
  return path
}

test('names that nobody answers for hold up no other name, and end by themselves', async () => {
  const { server } = await startNameServer({ 'good.example': '192.0.2.1' })
  const resolve = createResolve({ servers: [server], resolvConf: fileOf('search other.example') })
  let ended = 0
  const hanging = Array.from({ length: 64 }, async (_, at) => {
    const addresses = await resolve(`name${at}.hole`)
    ended += 1
    return addresses
  })
  expect([await resolve('good.example'), ended]).toEqual([['192.0.2.1'], 0])
  expect((await Promise.all(hanging)).flat()).toEqual([])
})

test('the hosts file comes before any name server, and localhost never gets to one', async () => {
  const { server, asked } = await startNameServer({ 'both.example': '192.0.2.1', localhost: '192.0.2.1' })
  const hostsFile = fileOf('# 10.0.0.9 both.example\n10.0.0.1\tBoth.example alias.example # later\n::1 both.example\n')
  const resolve = createResolve({ servers: [server], hostsFile })
  expect(await resolve('both.example')).toEqual(['10.0.0.1', '::1'])
  expect(await resolve('alias.example')).toEqual(['10.0.0.1'])
  expect(await resolve('localhost')).toEqual(['127.0.0.1', '::1'])
  expect(await resolve('a.localhost')).toEqual(['127.0.0.1', '::1'])
  expect(asked).toEqual([])
})

test('a name that does not exist as it stands is looked for in the search list of the machine, which need not be', async () => {
  const { server } = await startNameServer({ 'issuer.svc.cluster.local': '192.0.2.7', 'issuer.first': '192.0.2.8' })
  const resolvConf = fileOf('search ignored.example\nnameserver 192.0.2.53\nsearch cluster.local  svc.cluster.local\n')
  expect(await createResolve({ servers: [server], resolvConf })('issuer')).toEqual(['192.0.2.7'])
  expect(await createResolve({ servers: [server], resolvConf })('issuer.first')).toEqual(['192.0.2.8'])
  expect(await createResolve({ servers: [server], resolvConf: '/nonexistent' })('issuer')).toEqual([])
})
