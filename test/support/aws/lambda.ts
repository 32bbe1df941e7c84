// Lambda's Invoke: handlers registered in this process under a function's name. A handler that throws is a function error
// (HTTP 200 with `X-Amz-Function-Error`), as at AWS: the caller must look for it.
import { randomUUID } from 'node:crypto'
import { type Answer, AwsError } from './answer.ts'
import { type AwsCall, stringOf } from './call.ts'
import { arnIn, type Cloud } from './cloud.ts'
import type { Service } from './service.ts'

export type LambdaContext = {
  readonly functionName: string
  readonly functionVersion: string
  readonly invokedFunctionArn: string
  readonly awsRequestId: string
  readonly tenantId?: string
  readonly getRemainingTimeInMillis: () => number
}
export type LambdaHandler = (event: unknown, context: LambdaContext) => unknown

const SYNC_BYTES_MAX = 6 * 1024 * 1024
const ASYNC_BYTES_MAX = 1024 * 1024
const TIMEOUT_MS = 30_000

export class Functions {
  readonly #handlers = new Map<string, LambdaHandler>()
  readonly #running = new Set<Promise<unknown>>()
  /** Errors of asynchronous invocations, which no caller sees. */
  readonly asyncFailures: unknown[] = []

  /** `name` as deployed: `mintmark-prod-mint`. */
  register(name: string, handler: LambdaHandler): void {
    this.#handlers.set(name, handler)
  }

  find(name: string): LambdaHandler | undefined {
    return this.#handlers.get(name)
  }

  runLater(work: () => Promise<unknown>): void {
    const running = work().catch((error: unknown) => this.asyncFailures.push(error))
    this.#running.add(running)
    void running.finally(() => this.#running.delete(running))
  }

  /** Resolves when no asynchronous invocation is under way. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}

export const lambdaService = (functions: Functions, cloud: () => Cloud): Service => ({
  asks: (call) => [{ action: 'lambda:InvokeFunction', resource: functionArn(call, cloud()), context: {} }],
  serve: async (call): Promise<Answer> => {
    const arn = functionArn(call, cloud())
    const [, name = '', qualifier = '$LATEST'] = /:function:([^:]+)(?::(.+))?$/.exec(arn) ?? []
    const handler = functions.find(name)
    if (handler === undefined) throw new AwsError('ResourceNotFoundException', `Function not found: ${arn}`, 404)
    const kind = call.raw.headers['x-amz-invocation-type'] ?? 'RequestResponse'
    if (call.raw.body.length > (kind === 'Event' ? ASYNC_BYTES_MAX : SYNC_BYTES_MAX)) {
      throw new AwsError('RequestTooLargeException', 'The request payload is too large', 413)
    }
    if (kind === 'DryRun') return { status: 204, headers: {}, body: '' }

    // Parsed anew: nothing but JSON reaches the other side.
    const event = parsePayload(call.raw.body)
    const context = contextOf(call, name, qualifier, arn)
    if (kind === 'Event') {
      functions.runLater(async () => handler(event, context))
      return { status: 202, headers: {}, body: '' }
    }
    const headers = { 'content-type': 'application/json', 'x-amz-executed-version': qualifier }
    try {
      const result = await handler(event, context)
      return { status: 200, headers, body: JSON.stringify(result) ?? 'null' }
    } catch (error) {
      const { name: errorType, message: errorMessage } = error instanceof Error ? error : new Error(String(error))
      const body = JSON.stringify({ errorType, errorMessage, trace: [] })
      return { status: 200, headers: { ...headers, 'x-amz-function-error': 'Unhandled' }, body }
    }
  },
})

/** A name, a name with qualifier, a partial ARN or an ARN. */
const functionArn = (call: AwsCall, cloud: Cloud): string => {
  const given = stringOf(call.input, 'FunctionName') ?? ''
  const qualifier = new URL(call.raw.url, 'http://aws.invalid').searchParams.get('Qualifier')
  const arn = given.startsWith('arn:')
    ? given
    : arnIn(cloud, 'lambda', `function:${given.replace(/^\d{12}:function:/, '')}`)
  return qualifier === null ? arn : `${arn}:${qualifier}`
}

const parsePayload = (body: Buffer): unknown => {
  try {
    return body.length === 0 ? {} : JSON.parse(body.toString('utf8'))
  } catch {
    throw new AwsError('InvalidRequestContentException', 'Could not parse request body into json', 400)
  }
}

const contextOf = (call: AwsCall, name: string, version: string, arn: string): LambdaContext => {
  const tenantId = call.raw.headers['x-amz-tenant-id']
  const startedMs = performance.now()
  return {
    functionName: name,
    functionVersion: version,
    invokedFunctionArn: arn,
    awsRequestId: randomUUID(),
    ...(tenantId === undefined ? {} : { tenantId }),
    getRemainingTimeInMillis: () => Math.max(0, Math.round(TIMEOUT_MS - (performance.now() - startedMs))),
  }
}
