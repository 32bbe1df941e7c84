// The activation of a key by its owner, over lambda:InvokeFunction. Promises: a tenant and a key id go there, never a key.
import { LIMITS } from '../../domain/limits.ts'
import type { KeyActivation } from '../../ports/signing-keys.ts'
import { readActivateReply, writeActivateRequest } from '../../wire/activate-invocation.ts'
import { invoke, type LambdaTarget } from './lambda-invoke.ts'

/** The owner of the use opens the key and writes the activation row: whoever asks can do neither. */
export const createLambdaActivation = (target: LambdaTarget): KeyActivation => ({
  activate: ({ tenant, kid }) =>
    invoke(target, {
      payload: writeActivateRequest({ tenant, kid }),
      timeoutMs: LIMITS.mintInvokeMs,
      otherwise: 'signing_key_unavailable',
      read: readActivateReply,
    }),
})
