// Clients that reach one tenant's rows and no other's: the data role, assumed with the tenant as session tag, so that IAM
// (dynamodb:LeadingKeys) refuses what a bug in here would ask for. Sessions are cached a quarter of an hour at most, apart
// by tenant, and each says itself whose it is before it is used.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts'
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Table } from './dynamo-request.ts'

export const TENANT_TAG = 'mintmark-tenant'
/** Before its end, since a request that began with it must end with it. */
const REFRESH_SECONDS = 60
const SESSION_PREFIX = 'mintmark-'

export type TenantSession = {
  /** Whose it is, by the name in STS's own answer and not by where it was kept. */
  readonly tenant: string
  readonly credentials: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken: string
  }
  readonly wallEndMs: number
  readonly monotonicEndMs: number
}

export type TenantSessions = {
  /** The tenant's session, assumed if need be. Throws Unavailable. */
  readonly of: (tenant: string) => Promise<TenantSession>
}

type Options = {
  readonly sts: STSClient
  readonly roleArn: string
  readonly clock: Clock
  readonly entriesMax?: number
}

export const createTenantSessions = ({
  sts,
  roleArn,
  clock,
  entriesMax = LIMITS.tenantSessionsMax,
}: Options): TenantSessions => {
  const sessions = new Map<string, TenantSession>()
  const pending = new Map<string, Promise<TenantSession>>()

  const assume = async (tenant: string): Promise<TenantSession> => {
    // Taken before the request: the age of a session is never understated. Both clocks, the earlier end counts.
    const lifeMs = (LIMITS.tenantSessionSeconds - REFRESH_SECONDS) * 1000
    const ends = { wallEndMs: clock.nowMs() + lifeMs, monotonicEndMs: clock.monotonicMs() + lifeMs }
    const command = new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: `${SESSION_PREFIX}${tenant}`,
      DurationSeconds: LIMITS.tenantSessionSeconds,
      Tags: [{ Key: TENANT_TAG, Value: tenant }],
    })
    try {
      const answer = await sts.send(command, { abortSignal: AbortSignal.timeout(LIMITS.storeWaitMs) })
      const { AccessKeyId, SecretAccessKey, SessionToken } = answer.Credentials ?? {}
      const name = answer.AssumedRoleUser?.Arn?.split('/').at(-1)
      if (!AccessKeyId || !SecretAccessKey || !SessionToken || !name?.startsWith(SESSION_PREFIX))
        throw new Error('an answer without a session')
      const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
      return { tenant: name.slice(SESSION_PREFIX.length), credentials, ...ends }
    } catch (error) {
      throw new Unavailable('store_unavailable', undefined, { cause: error })
    }
  }

  const isLive = (session: TenantSession): boolean =>
    clock.nowMs() < session.wallEndMs &&
    clock.nowMs() > session.wallEndMs - 2 * LIMITS.tenantSessionSeconds * 1000 &&
    clock.monotonicMs() < session.monotonicEndMs

  const fresh = (tenant: string): Promise<TenantSession> => {
    const waiting =
      pending.get(tenant) ??
      assume(tenant)
        .then((session) => {
          if (sessions.size >= entriesMax) sessions.delete(sessions.keys().next().value as string)
          sessions.set(tenant, session)
          return session
        })
        .finally(() => pending.delete(tenant))
    pending.set(tenant, waiting)
    return waiting
  }

  return {
    async of(tenant) {
      const cached = sessions.get(tenant)
      if (cached !== undefined && !isLive(cached)) sessions.delete(tenant)
      const session = sessions.get(tenant) ?? (await fresh(tenant))
      if (session.tenant !== tenant) throw new Error('a session of another tenant was about to be used')
      return session
    },
  }
}

/** A client for each session, made by `connect` with its credentials. Clients go with their sessions: nothing else holds them. */
export const clientOfTenants = <Client extends object>(
  sessions: TenantSessions,
  connect: (credentials: TenantSession['credentials']) => Client,
): ((tenant: string) => Promise<Client>) => {
  const clients = new WeakMap<TenantSession, Client>()
  return async (tenant) => {
    const session = await sessions.of(tenant)
    const client = clients.get(session) ?? connect(session.credentials)
    clients.set(session, client)
    return client
  }
}

type TableOptions = {
  readonly name: string
  readonly sessions: TenantSessions
  /** A client like the function's own (region, endpoint, timeouts, connections), with these credentials. */
  readonly connect: (credentials: TenantSession['credentials']) => DynamoDBClient
  /** For rows that are no tenant's: the function's own. */
  readonly own: DynamoDBClient
  readonly waitMs?: number
}

/** A table in which each tenant's rows are reached with that tenant's session only. */
export const tableOfTenants = ({ name, sessions, connect, own, waitMs = LIMITS.storeWaitMs }: TableOptions): Table => {
  const ofTenant = clientOfTenants(sessions, connect)
  return { name, waitMs, clientOf: (tenant) => (tenant === null ? own : ofTenant(tenant)) }
}
