// Signatures of requests to webhooks, over lambda:InvokeFunction. Promises: one request, one invocation, and no key here.
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { MessageSigner } from '../../ports/sinks.ts'
import { readWebhookReply, writeWebhookRequest } from '../../wire/webhook-invocation.ts'
import { invoke, type LambdaTarget } from './lambda-invoke.ts'

/** By the owner of the key, which reads itself whether the tenant has such a webhook. */
export const createLambdaMessageSigner = (target: LambdaTarget): MessageSigner => ({
  async sign(tenant, request) {
    const { signed } = await invoke(target, {
      payload: writeWebhookRequest({ ...request, tenant }),
      timeoutMs: LIMITS.sinkSignMs,
      otherwise: 'signing_key_unavailable',
      read: readWebhookReply,
    })
    // Its document may be another than ours by now.
    if (signed === null) throw new Unavailable('changed_underway')
    return signed
  },
})
