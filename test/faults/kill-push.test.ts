// SIGKILL between a receiver's answer and the record of it, in the real broker: after the restart the receiver is sent the same SET
// under the same jti, and everything behind it once.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { run as revoke } from '../../bin/commands/revoke.ts'
import { removeBroker, startBroker, temporaryDirectory } from '../support/broker.ts'
import { issuerKey } from '../support/evidence.ts'
import { captureIo } from '../support/io.ts'
import { githubTenant } from '../support/tenants.ts'

test('a SET whose answer was lost to a kill comes again as it was, and none behind it is lost', async () => {
  const got: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      got.push(body)
      response.writeHead(202).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sets`
  const dataDir = temporaryDirectory()
  const tenants = {
    acme: `${githubTenant('acme', { keys: [issuerKey('RS256')] })}\nreceivers:\n  edge: { type: webhook, url: "${url}" }\n`,
  }
  const order = async (run: string) => {
    const io = captureIo()
    const args = ['--tenant', 'acme', '--run', run, '--reason', 'x', '--data', dataDir]
    expect(await revoke(args, io), io.err()).toBe(0)
  }
  const entry = 'test/support/broker-with-failpoints.ts'
  // Killed at the second answer, after a first that was recorded.
  const doomed = await startBroker({ tenants, dataDir, entry, env: { FAILPOINT: 'pushed:2' } })
  onTestFinished(() => removeBroker(doomed))
  await order('1')
  await expect.poll(() => got.length).toBe(1)
  const died = new Promise((resolve) => doomed.child.once('exit', (_, signal) => resolve(signal)))
  await order('2')
  expect(await died).toBe('SIGKILL')
  await order('3')
  const next = await startBroker({ tenants, dataDir, entry })
  onTestFinished(() => removeBroker(next))
  const seqs = () => got.map((set) => Number(decodeJwt(set).jti!.split('.')[0]))
  await expect.poll(seqs).toEqual([1, 2, 2, 3])
  expect(decodeJwt(got[2]!)).toEqual(decodeJwt(got[1]!))
})
