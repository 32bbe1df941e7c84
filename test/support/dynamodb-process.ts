// DynamoDB Local as a process of its own, with the tables in it made from the very definition that is deployed. It knows no
// IAM. Without Java it does not start, and says so.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  ListTablesCommand,
} from '@aws-sdk/client-dynamodb'
import { coreTable, logTable, type TableResource } from '../../infra/tables.ts'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

export type DynamodbProcess = { readonly endpoint: string; readonly stop: () => Promise<void> }

const EMULATOR = fileURLToPath(new URL('../../node_modules/amplify-dynamodb-simulator/emulator', import.meta.url))

export const startDynamodb = async (): Promise<DynamodbProcess> => {
  const port = await freePort()
  const args = [
    '-Djava.library.path=./DynamoDBLocal_lib',
    '-Xmx512m',
    '-jar',
    'DynamoDBLocal.jar',
    '-inMemory',
    '-sharedDb',
  ]
  const child = spawn('java', [...args, '-port', String(port), '-disableTelemetry'], { cwd: EMULATOR, stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  process.once('exit', () => child.kill('SIGKILL'))
  const failed = new Promise<never>((_, reject) => {
    child.once('error', () => reject(new Error('DynamoDB Local needs Java 17 or later on the path')))
    child.once('exit', (code) => reject(new Error(`DynamoDB Local ended with ${code}`)))
  })
  failed.catch(() => undefined)
  const endpoint = `http://127.0.0.1:${port}`
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
  }
  try {
    await Promise.race([untilReady(endpoint), failed])
  } catch (error) {
    await stop()
    throw error
  }
  return { endpoint, stop }
}

const untilReady = async (endpoint: string): Promise<void> => {
  const client = new DynamoDBClient({ ...LOCAL, endpoint, maxAttempts: 1 })
  await until(
    'DynamoDB Local that answers',
    () => client.send(new ListTablesCommand({})).catch((error: Error) => error),
    (answer) => !(answer instanceof Error),
  )
  client.destroy()
}

/** Any credentials do. */
export const LOCAL = { region: 'eu-west-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } } as const

const createTable = async (
  client: DynamoDBClient,
  name: string,
  { Properties }: TableResource,
  hasStream: boolean,
): Promise<void> => {
  const { BillingMode, AttributeDefinitions, KeySchema, StreamSpecification } = Properties
  const input = {
    TableName: name,
    BillingMode,
    AttributeDefinitions,
    KeySchema,
    ...(hasStream && StreamSpecification && { StreamSpecification: { StreamEnabled: true, ...StreamSpecification } }),
  }
  await client.send(new CreateTableCommand(structuredClone(input) as CreateTableCommandInput))
}

/** By the names they are deployed under, after `prefix`. */
export const createDeployedTables = async (
  endpoint: string,
  prefix = '',
  hasStream = true,
): Promise<{ readonly core: string; readonly log: string }> => {
  const client = new DynamoDBClient({ ...LOCAL, endpoint })
  const [core, log] = [coreTable(null), logTable(null)]
  const names = { core: `${prefix}${core.Properties.TableName}`, log: `${prefix}${log.Properties.TableName}` }
  await createTable(client, names.core, core, hasStream)
  await createTable(client, names.log, log, hasStream)
  client.destroy()
  return names
}
