// Secrets that are sent on as headers, by the real client from a server that holds what a tenant could put there.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { expect, onTestFinished, test } from 'vitest'
import { createManagedSecrets } from '../../../lib/adapters/aws/secrets-manager.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'

const secretsHolding = async (secret: string) => {
  const server = createServer((_request, response) =>
    response
      .writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
      .end(JSON.stringify({ SecretString: secret })),
  )
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const client = new SecretsManagerClient({
    region: 'eu-central-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  })
  onTestFinished(() => {
    client.destroy()
    server.close()
  })
  return createManagedSecrets(() => client)
}

test('a secret that is one header value is given unchanged', async () => {
  expect(await (await secretsHolding('Bearer x y')).text('acme/push')).toBe('Bearer x y')
})

test.each(['', 'Bearer x\n', 'a\r\nx-injected: y', ' a', 'é'])(
  '%j could not be sent as a header, and is not given',
  async (secret) => {
    await expect((await secretsHolding(secret)).text('acme/push')).rejects.toThrow(Unavailable)
  },
)
