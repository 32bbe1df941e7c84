// DynamoDB Local for test/aws: one JVM a run (vitest's global setup), a pair of tables a test file. Without Java the run fails:
// that is no reason to pass.
import { inject } from 'vitest'
import type { TestProject } from 'vitest/node'
import type { StreamRecord } from '../../lib/wire/lambda-events.ts'
import { createDeployedTables, LOCAL, startDynamodb } from './dynamodb-process.ts'
import { openStream } from './dynamodb-stream.ts'

declare module 'vitest' {
  interface ProvidedContext {
    dynamodbEndpoint: string
  }
}

export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const { endpoint, stop } = await startDynamodb()
  project.provide('dynamodbEndpoint', endpoint)
  return stop
}

/** How a test reaches it: spread into the options of a client. */
export const localDynamo = () => ({ ...LOCAL, endpoint: inject('dynamodbEndpoint') })

let made = 0

/**
 * New, empty tables for one test. `hasStream: false` where thousands of rows are written: DynamoDB Local looks through all it has of a
 * stream every few moments, for as long as it runs, and whoever comes after waits.
 */
export const createTables = (hasStream = true): Promise<{ readonly core: string; readonly log: string }> => {
  made += 1
  return createDeployedTables(inject('dynamodbEndpoint'), `t${process.pid}-${made}-`, hasStream)
}

/** `prefix` empty: by the names they are deployed under, which one file of a run may use. */
export const createTablesNamed = (prefix: string): Promise<{ readonly core: string; readonly log: string }> =>
  createDeployedTables(inject('dynamodbEndpoint'), prefix)

/** The whole stream of a table so far. */
export const readStream = (table: string): Promise<readonly StreamRecord[]> =>
  openStream(inject('dynamodbEndpoint'), table).next()
