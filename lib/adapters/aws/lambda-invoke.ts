// One question to another function of ours over lambda:InvokeFunction. Promises: one call, one invocation; what comes back is an
// answer of the other side, read strictly, or Unavailable; nothing of a failed invocation but that it failed.
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda'
import type { RefusalKind } from '../../domain/refusal.ts'
import { Unavailable } from '../../domain/unavailable.ts'

export type LambdaTarget = {
  /** With maxAttempts 1: see requireOneTry. */
  readonly client: LambdaClient
  /** Name or ARN, with its alias. */
  readonly functionName: string
}

type Invocation<Answer> = {
  readonly payload: string
  readonly timeoutMs: number
  /** What it is called when there is no answer. */
  readonly otherwise: RefusalKind
  readonly read: (payload: unknown) => Answer | Unavailable | null
}

export const invoke = async <Answer>(
  { client, functionName }: LambdaTarget,
  { payload, timeoutMs, otherwise, read }: Invocation<Answer>,
): Promise<Answer> => {
  await requireOneTry(client)
  const command = new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(payload) })
  const response = await client.send(command, { abortSignal: AbortSignal.timeout(timeoutMs) }).catch((error: Error) => {
    throw new Unavailable(error.name === 'TooManyRequestsException' ? 'overloaded' : otherwise, undefined, {
      cause: error,
    })
  })
  // FunctionError: it crashed, ran out of time or memory, or has a bug. Its payload says how, and is nobody's business here.
  const answer = response.FunctionError === undefined ? read(jsonOf(response.Payload)) : null
  if (answer === null) throw new Unavailable(otherwise)
  if (answer instanceof Unavailable) throw answer
  return answer
}

const jsonOf = (payload: Uint8Array | undefined): unknown => {
  try {
    return JSON.parse(Buffer.from(payload ?? []).toString('utf8'))
  } catch {
    return undefined
  }
}

/**
 * INVARIANT: a lost answer is not asked for again by the SDK. The invocation may have happened, and the second one would find
 * the evidence spent by the first: the caller would be told of a replay where an outage is the truth.
 */
const requireOneTry = async (client: LambdaClient): Promise<void> => {
  if ((await client.config.maxAttempts()) !== 1) throw new Error('the Lambda client must not retry')
}
