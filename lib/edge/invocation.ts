// The wrapper of functions that are invoked and answer. An outage is an answer of its own, so that its kind survives the
// way back; a bug, or a payload that is not exactly what is due, fails the invocation and says nothing.
import type { Logger } from '@aws-lambda-powertools/logger'
import { Unavailable } from '../domain/unavailable.ts'
import { isScheduled } from '../wire/lambda-events.ts'
import { placeOf } from './failure-place.ts'

export type InvocationOptions<Request, Answer> = {
  readonly name: string
  /** Strict; null: not a request of ours. */
  readonly read: (payload: unknown) => Request | null
  readonly handle: (request: Request) => Promise<Answer>
  readonly reply: (answer: Answer | Unavailable) => unknown
  readonly log: Pick<Logger, 'error'>
}

/** What Lambda says of an invocation. */
export type InvocationContext = { readonly invokedFunctionArn: string }

type Kinds = Readonly<Record<string, (payload: unknown) => Promise<unknown>>>

/**
 * A function with several kinds of request takes each by an alias of its own. IAM decides by the alias and sees no payload: what
 * comes by another alias than that of its kind, or by none, comes from somebody who may not ask for it, and is not understood.
 * `onSchedule`: of a function that its schedule runs, which has no alias.
 */
export const byAlias = (
  name: string,
  kinds: Kinds,
  log: InvocationOptions<unknown, unknown>['log'],
  onSchedule?: () => Promise<unknown>,
) => {
  const handlers = new Map(Object.entries(kinds))
  return async (payload: unknown, { invokedFunctionArn }: InvocationContext): Promise<unknown> => {
    // Without an alias the last part is the function's name, which is no kind.
    const handler = handlers.get(invokedFunctionArn.slice(invokedFunctionArn.lastIndexOf(':') + 1))
    if (handler !== undefined) return handler(payload)
    if (onSchedule !== undefined && isScheduled(payload)) return onSchedule()
    log.error('an invocation came by no alias of a request', { function: name })
    throw new Error('payload_invalid')
  }
}

export const invocation =
  <Request, Answer>({ name, read, handle, reply, log }: InvocationOptions<Request, Answer>) =>
  async (payload: unknown): Promise<unknown> => {
    const request = read(payload)
    if (request === null) {
      log.error('a payload was not understood', { function: name })
      throw new Error('payload_invalid')
    }
    try {
      return reply(await handle(request))
    } catch (error) {
      if (error instanceof Unavailable) return reply(error)
      log.error('unexpected error', { function: name, error: placeOf(error) })
      throw new Error('internal_error')
    }
  }
