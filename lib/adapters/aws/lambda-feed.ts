// The revocation feed over lambda:InvokeFunction. Promises: a page as the owner of the signal key signed it.
import { LIMITS } from '../../domain/limits.ts'
import { readFeedReply, writeFeedRequest } from '../../wire/feed-invocation.ts'
import { invoke, type LambdaTarget } from './lambda-invoke.ts'

/** Pages of the revocation feed; null: no such tenant. */
export const createLambdaFeed =
  (target: LambdaTarget) =>
  async (tenant: string, since: number): Promise<string | null> => {
    const { page } = await invoke(target, {
      payload: writeFeedRequest({ tenant, since }),
      timeoutMs: LIMITS.feedInvokeMs,
      otherwise: 'signing_key_unavailable',
      read: readFeedReply,
    })
    return page
  }
