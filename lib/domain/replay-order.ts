// What a replay does to the credential that its evidence gave before (`on_replay` of an issue entry; design §3). Pure.
import type { Denial, GrantRecord } from './grant-record.ts'
import type { RevocationOrder } from './revocation-order.ts'
import type { TenantConfig } from './tenant-config.ts'

/** By the document of now. Of two entries the credential could be of, the stricter one decides. */
const onReplayOf = (
  { grants }: Pick<TenantConfig, 'grants'>,
  { grant, credential }: GrantRecord,
): 'alert' | 'revoke' => {
  const scope = credential.scope === '' ? [] : credential.scope.split(' ')
  const isRevoking = grants
    .find(({ name }) => name === grant)
    ?.issue.some(
      (entry) =>
        entry.type === 'access_token' &&
        entry.type === credential.type &&
        entry.audiences.includes(credential.aud) &&
        scope.every((one) => entry.scope.includes(one)) &&
        entry.onReplay === 'revoke',
    )
  return isRevoking === true ? 'revoke' : 'alert'
}

/**
 * The order that the record of a replay stands for, under the id of that record, the same whenever it is asked for but for its
 * time; null: it stands for none. `first`: the record of the redemption that came before.
 */
export const orderOfReplay = (
  denial: Denial,
  first: GrantRecord,
  config: Pick<TenantConfig, 'grants'>,
  orderedAtSeconds: number,
): RevocationOrder | null => {
  const { tenant, decisionId, refusal, verified, firstDecisionId, evidence } = denial
  if (refusal.kind !== 'replayed' || !verified || firstDecisionId !== first.decisionId) return null
  // Whoever can have a denial kept names any decision in it: it must show the very evidence that this credential came of.
  if (first.tenant !== tenant || evidence?.replayKey !== first.evidence.replayKey) return null
  if (onReplayOf(config, first) !== 'revoke') return null
  return {
    v: 1,
    id: decisionId,
    tenant,
    selectors: [
      { kind: 'credential', issuer: '', value: first.credential.jti },
      { kind: 'assertion', issuer: '', value: first.evidence.replayKey },
    ],
    form: 'block',
    reason: 'its evidence was presented again',
    proof: { kind: 'replay', decision: decisionId },
    orderedAtSeconds,
  }
}
