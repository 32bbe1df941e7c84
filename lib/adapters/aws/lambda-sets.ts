// SETs over lambda:InvokeFunction. Promises: one for each change asked for, in that order, or Unavailable.
import { LIMITS } from '../../domain/limits.ts'
import type { RevocationChange } from '../../domain/revocation-set.ts'
import type { ReceiverRule, TenantConfig } from '../../domain/tenant-config.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Digest } from '../../ports/system.ts'
import { readSetsReply, writeSetsRequest } from '../../wire/sets-invocation.ts'
import { invoke, type LambdaTarget } from './lambda-invoke.ts'

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
