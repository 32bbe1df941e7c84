// mint over lambda:InvokeFunction. Promises: the request mint judges anew, and nothing this process concluded from the evidence.
import { LIMITS } from '../../domain/limits.ts'
import type { Mint } from '../../ports/mint.ts'
import { readMintReply, writeMintRequest } from '../../wire/mint-invocation.ts'
import { invoke, type LambdaTarget } from './lambda-invoke.ts'

/** `attested` never travels: writeMintRequest does not know it. */
export const createLambdaMint = (target: LambdaTarget): Mint => ({
  mint: (request) =>
    invoke(target, {
      payload: writeMintRequest(request),
      timeoutMs: LIMITS.mintInvokeMs,
      otherwise: 'mint_unavailable',
      read: readMintReply,
    }),
})
