// AssumeRole with the broker's own credentials: the fallback for accounts that will not register an identity provider. A role is
// assumed with its external id only after the same call without one was refused in the last hour, by this process: a trust policy
// may be loosened at any time, so a proof on record would be worth less than a fresh one, and one more call an hour is cheap.
import { AssumeRoleCommand, type AssumeRoleCommandInput, type Credentials, type STSClient } from '@aws-sdk/client-sts'
import { assumedRoleArn, type CloudSession, refusedBySts } from '../../domain/aws-session.ts'
import { LIMITS } from '../../domain/limits.ts'
import { refuse } from '../../domain/refusal.ts'
import { ok, type Result } from '../../domain/result.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { AssumedRoleSessions } from '../../ports/cloud-sessions.ts'

export type StsAssumedRoleOptions = {
  /** With the credentials of the function itself: a data session may assume nothing. */
  readonly sts: STSClient
  readonly clock: Pick<Clock, 'monotonicMs'>
}

type Order = Parameters<AssumedRoleSessions['open']>[0]

const PROVEN_MAX = 1_000

/** Should the proof find the door open, what comes through it may do nothing. */
const NOTHING = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }],
})

export const createStsAssumedRole = ({ sts, clock }: StsAssumedRoleOptions): AssumedRoleSessions => {
  /** role and external id -> when the role was last seen to ask for it */
  const proven = new Map<string, number>()

  const assume = async (input: AssumeRoleCommandInput): Promise<Result<CloudSession>> => {
    try {
      const answer = await sts.send(new AssumeRoleCommand(input), {
        abortSignal: AbortSignal.timeout(LIMITS.stsCallMs),
      })
      if (answer.AssumedRoleUser?.Arn !== assumedRoleArn(input.RoleArn!, input.RoleSessionName!))
        throw new Unavailable('cloud_unavailable')
      return ok(sessionOf(answer.Credentials))
    } catch (error) {
      const code = error instanceof Error ? refusedBySts(error.name) : null
      if (code !== null) return refuse('cloud_refused', { code })
      throw error instanceof Unavailable ? error : new Unavailable('cloud_unavailable', undefined, { cause: error })
    }
  }

  const isProven = (name: string): boolean =>
    clock.monotonicMs() - (proven.get(name) ?? Number.NEGATIVE_INFINITY) < LIMITS.externalIdProofSeconds * 1_000

  /** Null: the role refuses without the external id. */
  const whyOpen = async (order: Order): Promise<Result<never> | null> => {
    const { ExternalId: _, ...input } = inputOf(order)
    const without = await assume({ ...input, DurationSeconds: LIMITS.cloudSessionSecondsMin, Policy: NOTHING })
    if (without.ok) return refuse('cloud_trust_open')
    return without.refusal.detail?.['code'] === 'AccessDenied' ? null : without
  }

  return {
    async open(order) {
      const name = `${order.role}\0${order.externalId}`
      if (isProven(name)) return assume(inputOf(order))
      const open = await whyOpen(order)
      if (open !== null) return open
      const session = await assume(inputOf(order))
      // Both together are the proof: a role that refuses everything has proven nothing.
      if (session.ok) {
        if (proven.size >= PROVEN_MAX) proven.clear()
        proven.set(name, clock.monotonicMs())
      }
      return session
    },
  }
}

const inputOf = (order: Order): AssumeRoleCommandInput => ({
  RoleArn: order.role,
  RoleSessionName: order.sessionName,
  DurationSeconds: order.durationSeconds,
  ExternalId: order.externalId,
  SourceIdentity: order.sourceIdentity,
  Tags: Object.entries(order.tags).map(([Key, Value]) => ({ Key, Value })),
  TransitiveTagKeys: [...order.transitiveTags],
})

const sessionOf = (credentials: Credentials | undefined): CloudSession => {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = credentials ?? {}
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) throw new Unavailable('cloud_unavailable')
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiresAtSeconds: Math.floor(Expiration.getTime() / 1_000),
    expiration: `${Expiration.toISOString().slice(0, 19)}Z`,
  }
}
