// trust over lambda:InvokeFunction. Promises: a request names a tenant and its issuer, never a URL; keys of the source asked for,
// or Unavailable.
import { type FetchedKeySource, keySourceId } from '../../domain/key-source.ts'
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Trust } from '../../ports/issuer-keys.ts'
import { readTrustReply, writeTrustRequest } from '../../wire/trust-invocation.ts'
import { invoke, type LambdaTarget } from './lambda-invoke.ts'

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
