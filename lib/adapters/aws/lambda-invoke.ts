// mint, trust and feed over lambda:InvokeFunction, and the activation of a key by its owner. Promises: one call, one invocation;
// what comes back is an answer of the other side, read strictly, or Unavailable; nothing of a failed invocation but that it failed.
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda'
import { type FetchedKeySource, keySourceId } from '../../domain/key-source.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { RefusalKind } from '../../domain/refusal.ts'
import type { RevocationChange } from '../../domain/revocation-set.ts'
import type { ReceiverRule, TenantConfig } from '../../domain/tenant-config.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Trust } from '../../ports/issuer-keys.ts'
import type { Mint } from '../../ports/mint.ts'
import type { KeyActivation } from '../../ports/signing-keys.ts'
import type { Digest } from '../../ports/system.ts'
import { readActivateReply, writeActivateRequest } from '../../wire/activate-invocation.ts'
import { readFeedReply, writeFeedRequest } from '../../wire/feed-invocation.ts'
import { readMintReply, writeMintRequest } from '../../wire/mint-invocation.ts'
import { readSetsReply, writeSetsRequest } from '../../wire/sets-invocation.ts'
import { readTrustReply, writeTrustRequest } from '../../wire/trust-invocation.ts'

export type LambdaTarget = {
  /** With maxAttempts 1: see requireOneTry. */
  readonly client: LambdaClient
  /** Name or ARN, with its alias. */
  readonly functionName: string
}

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

/** Whose source it is, for a request may name only that: null, when no configuration this process has read knows it. */
export type OwnerOfSource = (sourceId: string) => { readonly tenant: string; readonly issuer: string } | null

export const createLambdaTrust = (target: LambdaTarget, ownerOf: OwnerOfSource): Trust => ({
  async refresh(source: FetchedKeySource, why) {
    const owner = ownerOf(keySourceId(source))
    if (owner === null) throw new Unavailable('issuer_keys_unavailable')
    const outcome = await invoke(target, {
      payload: writeTrustRequest({ ...owner, why }),
      timeoutMs: LIMITS.trustInvokeMs,
      otherwise: 'issuer_keys_unavailable',
      read: readTrustReply,
    })
    // Its configuration may be another than ours by now: keys of one source are never taken for those of another.
    if (outcome.ok && outcome.set.sourceId !== keySourceId(source)) throw new Unavailable('changed_underway')
    return outcome
  },
})

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

type Place = Pick<TenantConfig, 'tenant' | 'issuerUrl'>

/** SETs of changes, signed by the owner of the key, which reads itself what they say. `digest`: for their jti. */
export const createLambdaSets = (target: LambdaTarget, digest: Digest) => ({
  digest,
  async sets({ tenant }: Place, { name }: ReceiverRule, changes: readonly RevocationChange[]) {
    if (changes.length === 0) return []
    const { sets } = await invoke(target, {
      payload: writeSetsRequest({ tenant, receiver: name, seqs: changes.map(({ seq }) => seq) }),
      timeoutMs: LIMITS.feedInvokeMs,
      otherwise: 'signing_key_unavailable',
      read: readSetsReply,
    })
    // Its document may be another than ours by now.
    if (sets?.length !== changes.length) throw new Unavailable('changed_underway')
    return sets
  },
})

type Invocation<Answer> = {
  readonly payload: string
  readonly timeoutMs: number
  /** What it is called when there is no answer. */
  readonly otherwise: RefusalKind
  readonly read: (payload: unknown) => Answer | Unavailable | null
}

const invoke = async <Answer>(
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
