// Secrets a tenant document names, in Secrets Manager as `mintmark/<tenant>/<name>` (design §5 "Files"), asked for with that
// tenant's session. Read each time, so that a rotated secret counts at once.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { isHeaderValue } from '../../domain/header-value.ts'
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Secrets } from '../../ports/secrets.ts'

/** With the rights of that tenant's data session. */
type ClientOfTenant = (tenant: string) => SecretsManagerClient | Promise<SecretsManagerClient>

export const createManagedSecrets = (clientOf: ClientOfTenant): Secrets => ({
  async matches(name, text) {
    const secret = await read(clientOf, name)
    // Hashed first: the comparison wants equal lengths, and tells none.
    return secret.length > 0 && timingSafeEqual(sha256(secret), sha256(Buffer.from(text)))
  },
  async text(name) {
    const secret = (await read(clientOf, name)).toString('utf8')
    if (!isHeaderValue(secret)) throw new Unavailable('secret_unavailable', 10)
    return secret
  },
  async verifyHmac(name, bytes, signature) {
    const secret = await read(clientOf, name)
    const given = /^[0-9a-f]{64}$/.test(signature) ? Buffer.from(signature, 'hex') : null
    return (
      secret.length > 0 && given !== null && timingSafeEqual(createHmac('sha256', secret).update(bytes).digest(), given)
    )
  },
})

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest()

/** `name`: `<tenant>/<name>`, as the document has it. */
const read = async (clientOf: ClientOfTenant, name: string): Promise<Buffer> => {
  try {
    const client = await clientOf(name.slice(0, name.indexOf('/')))
    const order = new GetSecretValueCommand({ SecretId: `mintmark/${name}` })
    const { SecretString, SecretBinary } = await client.send(order, {
      abortSignal: AbortSignal.timeout(LIMITS.secretCallMs),
    })
    const bytes = SecretString === undefined ? Buffer.from(SecretBinary ?? []) : Buffer.from(SecretString)
    if (bytes.length > LIMITS.secretFileBytesMax) throw new Error('too large')
    return bytes
  } catch (error) {
    throw new Unavailable('secret_unavailable', 10, { cause: error })
  }
}
