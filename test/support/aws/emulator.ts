// AWS for tests: one server on loopback that all SDK clients of a test point to. It verifies each signature, finds the caller,
// asks IAM by the policies it was given, records what was decided, and only then lets the service act: its own KMS, STS, Lambda
// and IAM, or DynamoDB Local and fauxqs behind it. What it cannot judge is a failure of the test, never a quiet deny.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { COMES_WITHIN_MS } from '../until.ts'
import { type Answer, AwsError, commonError, errorAnswer, throttled } from './answer.ts'
import { authorize } from './authorize.ts'
import { type AwsCall, type RawRequest, readCall, type ServiceName } from './call.ts'
import { arnIn, type Cloud, type DeployedFunction, findRole } from './cloud.ts'
import { dynamodbService } from './dynamodb.ts'
import { Faults } from './faults.ts'
import { iamService } from './iam.ts'
import { kmsService } from './kms.ts'
import { Functions, lambdaService } from './lambda.ts'
import { createRecorder, type Recorder } from './recorder.ts'
import { type Objects, s3Service } from './s3.ts'
import { type Secrets, secretsService } from './secretsmanager.ts'
import type { Service } from './service.ts'
import { type Caller, type Credentials, Sessions, sessionArn } from './sessions.ts'
import { verifySignature } from './sigv4.ts'
import { sqsService } from './sqs.ts'
import { stsService } from './sts.ts'
import type { PublishedKeys } from './web-identity.ts'

export type AwsOptions = {
  readonly cloud: Cloud
  /** Base URLs of DynamoDB Local and fauxqs; a call for which the test started no engine fails it. */
  readonly dynamodb?: string
  readonly sqs?: string
  /** The key set STS would fetch from a registered OIDC issuer. */
  readonly publishedKeys?: PublishedKeys
  readonly nowMs?: () => number
  /** Off: everything is decided and recorded, nothing is refused. Default on. */
  readonly enforcing?: boolean
  readonly seed?: number
  /** A file for the recorder's lines. */
  readonly recordTo?: string
}

type RoleSession = {
  readonly sessionName?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly sourceIdentity?: string
  /** Name of the function that uses it. */
  readonly from?: string
}

export interface Aws {
  readonly endpoint: string
  /** What every SDK client takes: `new KMSClient(aws.client(credentials))`. */
  client(credentials: Credentials): {
    readonly endpoint: string
    readonly region: string
    readonly credentials: Credentials
  }
  /**
   * Credentials as Lambda gives them to a function, by its name or by the part after `mintmark-<stage>-`. `asService`: the same
   * role used by Lambda itself (polling, logs), whose calls carry no `lambda:SourceFunctionArn`.
   */
  credentialsFor(functionName: string, options?: { readonly asService?: boolean }): Credentials
  /** A session of any role, its trust policy aside: for roles people assume, and for trying what a session could do. */
  credentialsForRole(roleArn: string, session?: RoleSession): Credentials
  /** Neither judged nor recorded: for a test's own set-up. */
  readonly rootCredentials: Credentials
  /** The policies as they are now, with what IAM calls wrote. */
  readonly cloud: Cloud
  /** Puts other policies in place; sessions stay. */
  replaceCloud(cloud: Cloud): void
  enforce(isOn: boolean): void
  readonly recorder: Recorder
  readonly faults: Faults
  readonly functions: Functions
  readonly secrets: Secrets
  readonly objects: Objects
  /** Rejects with what went wrong inside, if anything did: a request IAM could not judge, an engine that was gone. */
  stop(): Promise<void>
}

export const startAws = async (options: AwsOptions): Promise<Aws> => {
  let cloud = options.cloud
  let isEnforcing = options.enforcing ?? true
  const nowMs = options.nowMs ?? Date.now
  const currentCloud = (): Cloud => cloud
  const changeCloud = (next: Cloud): void => {
    cloud = next
  }
  const sessions = new Sessions(currentCloud)
  const recorder = createRecorder(options.recordTo)
  const faults = new Faults(options.seed ?? 1)
  const functions = new Functions()
  const secrets: Secrets = new Map()
  const objects: Objects = new Map()
  const publishedKeys = options.publishedKeys ?? (() => Promise.reject(new Error('no keys are published')))
  const services: Partial<Record<ServiceName, Service>> = {
    kms: kmsService(currentCloud, changeCloud),
    sts: stsService({ cloud: currentCloud, sessions, nowMs, publishedKeys }),
    iam: iamService(currentCloud, changeCloud),
    lambda: lambdaService(functions, currentCloud),
    s3: s3Service(objects),
    secretsmanager: secretsService(secrets, currentCloud),
    ...(options.dynamodb === undefined ? {} : { dynamodb: dynamodbService(options.dynamodb, currentCloud) }),
    ...(options.sqs === undefined ? {} : { sqs: sqsService(options.sqs, currentCloud) }),
  }

  const callerOf = async (call: AwsCall, service: Service): Promise<Caller | null> => {
    if (service.unsigned?.includes(call.operation)) return null
    const findKey = (accessKeyId: string) => {
      const credentials = sessions.find(accessKeyId)?.credentials
      return credentials && { ...credentials, expiresMs: credentials.expiration.getTime() }
    }
    return sessions.find(await verifySignature(call, { region: cloud.region, nowMs: nowMs(), findKey }))!.caller
  }

  /** Null: the connection is to be cut without an answer. */
  const answer = async (call: AwsCall): Promise<Answer | null> => {
    const service = services[call.service]
    if (service === undefined) throw new Error(`this test started no engine for ${call.service}`)
    const caller = await callerOf(call, service)
    const asks = await service.asks(call, caller)
    await authorize(call, caller, asks, { cloud, recorder, isEnforcing, nowMs: nowMs() })
    const fault = faults.strike(`${call.service}:${call.operation}`)
    if (fault?.kind === 'throttle') throw throttled(call.service)
    if (fault?.kind === 'error') throw new AwsError('InternalFailure', 'Internal failure', fault.status ?? 500)
    if (fault?.kind === 'hang') {
      await sleep(fault.ms, undefined, { signal: stopping.signal })
      return null
    }
    if (fault?.kind === 'delay') await fault.over
    const served = await service.serve(call, caller)
    return fault?.kind === 'drop' ? null : served
  }

  const problems: unknown[] = []
  const stopping = new AbortController()
  // No connection is closed for being idle while a client takes it up again: not every call may be made twice.
  const server = createServer({ keepAliveTimeout: COMES_WITHIN_MS }, (request, response) => {
    void respond(request, response, answer, (problem) => {
      if (!stopping.signal.aborted) problems.push(problem)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const issue = (roleArn: string, session: RoleSession & { readonly sourceFunctionArn?: string }): Credentials => {
    const role = findRole(cloud, roleArn)
    if (role === undefined) throw new Error(`no role ${roleArn}`)
    const { sessionName = 'test', tags = {}, ...rest } = session
    const issuedMs = nowMs()
    return sessions.issue({
      arn: sessionArn(role, sessionName),
      role: role.arn,
      sessionPolicies: [],
      sessionName,
      issuedMs,
      expiresMs: issuedMs + 12 * 3600_000,
      tags,
      transitiveTagKeys: [],
      ...rest,
    })
  }

  return {
    endpoint,
    client: (credentials) => ({ endpoint, region: cloud.region, credentials }),
    credentialsFor: (functionName, { asService = false } = {}) => {
      const [name, { role }] = findFunction(cloud, functionName)
      const sourceFunctionArn = arnIn(cloud, 'lambda', `function:${name}`)
      return issue(role, { sessionName: name, ...(asService ? {} : { sourceFunctionArn, from: name }) })
    },
    credentialsForRole: (roleArn, session = {}) => issue(roleArn, session),
    rootCredentials: sessions.issueRoot(),
    get cloud() {
      return cloud
    },
    replaceCloud: changeCloud,
    enforce: (isOn) => {
      isEnforcing = isOn
    },
    recorder,
    faults,
    functions,
    secrets,
    objects,
    stop: async () => {
      stopping.abort()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      if (problems.length > 0) throw problems[0]
    },
  }
}

const findFunction = (cloud: Cloud, functionName: string): readonly [string, DeployedFunction] => {
  const fitting = Object.entries(cloud.functions).filter(
    ([name]) => name === functionName || name.replace(/^mintmark-[^-]+-/, '') === functionName,
  )
  if (fitting[0] === undefined || fitting.length > 1) throw new Error(`${fitting.length} functions are ${functionName}`)
  return fitting[0]
}

const respond = async (
  request: IncomingMessage,
  response: ServerResponse,
  answer: (call: AwsCall) => Promise<Answer | null>,
  reportProblem: (problem: unknown) => void,
): Promise<void> => {
  let call: AwsCall | null = null
  let result: Answer | null
  try {
    call = readCall(await readRaw(request))
    if (call === null) throw commonError('unsigned', 'json', 'The request is of no service known here')
    result = await answer(call)
  } catch (error) {
    // The caller went away before the request was whole.
    if (!request.complete) return
    if (!(error instanceof AwsError)) reportProblem(error)
    const refusal = error instanceof AwsError ? error : new AwsError('InternalFailure', 'Internal failure', 500)
    result = errorAnswer(call?.protocol ?? 'json', refusal)
  }
  if (result === null) {
    request.socket.destroy()
    return
  }
  response.writeHead(result.status, { ...result.headers, 'content-length': Buffer.byteLength(result.body) })
  response.end(request.method === 'HEAD' ? '' : result.body)
}

const readRaw = async (request: IncomingMessage): Promise<RawRequest> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const headers = Object.entries(request.headers).map(([name, value]) => [name, [value ?? ''].flat().join(',')])
  return {
    method: request.method ?? '',
    url: request.url ?? '/',
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: Buffer.concat(chunks),
  }
}
