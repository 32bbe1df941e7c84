// The permission check in front of every service: completes the condition context, decides each permission a call needs, records
// the decision, and refuses when enforcing. The account's root user, who sets the stage, is let through unseen.
import { type AwsError, commonError } from './answer.ts'
import type { AwsCall } from './call.ts'
import type { Cloud } from './cloud.ts'
import type { Context } from './condition.ts'
import type { Decision, IamRequest } from './decision.ts'
import { decideOnce } from './decision-cache.ts'
import type { Recorder } from './recorder.ts'
import { type Ask, resourceContext } from './service.ts'
import { type Caller, sessionContext } from './sessions.ts'

type Judge = {
  readonly cloud: Cloud
  readonly recorder: Recorder
  readonly isEnforcing: boolean
  readonly nowMs: number
}

/** Throws AccessDenied for the first permission that is not granted, after all were decided and recorded. */
export const authorize = async (
  call: AwsCall,
  caller: Caller | null,
  asks: readonly Ask[],
  judge: Judge,
): Promise<void> => {
  if (caller?.kind === 'root') return
  let refused: AwsError | null = null
  for (const ask of asks) {
    const request = requestOf(ask, caller, judge)
    const decision = await decideOnce(judge.cloud, request)
    const sessionTags = caller !== null && ask.principal === undefined ? caller.session.tags : {}
    judge.recorder.record({ ...request, sessionTags, decision })
    if (decision.outcome !== 'Allowed') refused ??= denied(call, request, decision)
  }
  if (refused !== null && judge.isEnforcing) throw refused
}

/** What IAM is asked: the keys of the service, of the caller's session, of the resource and of every request. */
export const requestOf = (
  ask: Ask,
  caller: Caller | null,
  { cloud, nowMs }: Pick<Judge, 'cloud' | 'nowMs'>,
): IamRequest => {
  const session = caller?.kind === 'session' ? caller.session : null
  const principal = ask.principal ?? session
  if (principal === null) throw new Error(`nobody asks for ${ask.action}`)
  const { arn, role, sessionPolicies } = principal
  // What a service does in the caller's name does not come through the caller's network.
  const from = ask.context['aws:ViaAWSService'] === 'true' ? undefined : session?.from
  return {
    principal: { arn, role, sessionPolicies },
    ...(from === undefined ? {} : { from }),
    action: ask.action,
    resource: ask.resource,
    resourceAccount: ask.resource.split(':')[4] || cloud.account,
    context: {
      ...ambientContext(cloud, nowMs),
      ...(session === null || ask.principal !== undefined ? {} : sessionContext(cloud, session)),
      ...resourceContext(cloud, ask.resource),
      ...ask.context,
    },
  }
}

/** Keys of every request. The emulator speaks plain HTTP on loopback and stands for endpoints that do not. */
const ambientContext = (cloud: Cloud, nowMs: number): Context => ({
  'aws:SecureTransport': 'true',
  'aws:RequestedRegion': cloud.region,
  'aws:PrincipalIsAWSService': 'false',
  'aws:ViaAWSService': 'false',
  'aws:CurrentTime': new Date(nowMs).toISOString(),
  'aws:EpochTime': String(Math.floor(nowMs / 1000)),
})

const REASONS = {
  ExplicitlyDenied: 'with an explicit deny',
  ImplicitlyDenied: 'because no policy allows it',
  Unreachable: 'because no endpoint of the service is in its network',
} as const

const denied = (call: AwsCall, { principal, action, resource }: IamRequest, { outcome }: Decision): AwsError => {
  const why = outcome === 'Allowed' ? '' : REASONS[outcome]
  const what = `${principal.arn} is not authorized to perform: ${action} on resource: ${resource}`
  return commonError('accessDenied', call.protocol, `User: ${what} ${why}`)
}
