// STS: AssumeRole with session tags, transitive tags, source identity, external id and session policies;
// AssumeRoleWithWebIdentity; GetCallerIdentity. Identity and trust policies are asked for each of sts:AssumeRole*,
// sts:TagSession and sts:SetSourceIdentity with the keys the service authorization reference lists for that one action.
import { type Answer, AwsError, queryAnswer } from './answer.ts'
import { type AwsCall, type Json, type JsonObject, objectsOf, stringOf } from './call.ts'
import type { Cloud, PolicyDocument, Role } from './cloud.ts'
import type { Context } from './condition.ts'
import type { Principal } from './decision.ts'
import type { Ask, Service } from './service.ts'
import { type Caller, type Credentials, type Session, type Sessions, sessionArn } from './sessions.ts'
import { type PublishedKeys, verifyWebIdentity, type WebIdentity } from './web-identity.ts'

const NAME = /^[\w+=,.@-]{2,64}$/
const EXTERNAL_ID = /^[\w+=,.@:/-]{2,1224}$/
const SESSION_SECONDS_MIN = 900
const CHAINED_SECONDS_MAX = 3600
const SESSION_POLICY_CHARACTERS_MAX = 2048
const TAGS_MAX = 50

type Dependencies = {
  readonly cloud: () => Cloud
  readonly sessions: Sessions
  readonly nowMs: () => number
  readonly publishedKeys: PublishedKeys
}

/** What both ways of assuming a role come to. */
type Assumption = {
  readonly roleArn: string
  readonly sessionName: string
  readonly seconds: number
  readonly tags: Readonly<Record<string, string>>
  readonly transitiveTagKeys: readonly string[]
  readonly sourceIdentity?: string
  readonly sessionPolicies: readonly PolicyDocument[]
}

export const stsService = ({ cloud, sessions, nowMs, publishedKeys }: Dependencies): Service => {
  const webIdentityOf = (call: AwsCall, assumption: Assumption): Promise<WebIdentity> => {
    const token = stringOf(call.input, 'WebIdentityToken') ?? ''
    return verifyWebIdentity({ token, roleArn: assumption.roleArn, cloud: cloud(), nowMs: nowMs() }, publishedKeys)
  }

  const open = (assumption: Assumption, from: Session | null, provider?: string): JsonObject => {
    const role = cloud().roles[assumption.roleArn]!
    checkDuration(assumption, role, from)
    const { sessionName, sourceIdentity, sessionPolicies } = assumption
    const inherited = from === null ? {} : pick(from.tags, from.transitiveTagKeys)
    const issuedMs = nowMs()
    const arn = sessionArn(role, sessionName)
    const credentials = sessions.issue({
      arn,
      role: role.arn,
      sessionName,
      issuedMs,
      expiresMs: issuedMs + assumption.seconds * 1000,
      tags: { ...assumption.tags, ...inherited },
      transitiveTagKeys: [...new Set([...assumption.transitiveTagKeys, ...(from?.transitiveTagKeys ?? [])])],
      sessionPolicies,
      ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
      ...(provider === undefined ? {} : { federatedProvider: provider }),
      ...(from?.from === undefined ? {} : { from: from.from }),
    })
    return {
      Credentials: wireCredentials(credentials),
      AssumedRoleUser: { Arn: arn, AssumedRoleId: `${role.roleId}:${sessionName}` },
      SourceIdentity: sourceIdentity,
    }
  }

  return {
    unsigned: ['AssumeRoleWithWebIdentity'],
    asks: async (call, caller) => {
      if (call.operation === 'AssumeRole') {
        const session = sessionOf(caller)
        return assumeRoleAsks(readAssumption(call.input, session, cloud()), call.input)
      }
      if (call.operation === 'AssumeRoleWithWebIdentity') {
        const assumption = readAssumption(call.input, null, cloud())
        return webIdentityAsks(assumption, await webIdentityOf(call, assumption))
      }
      return [{ action: `sts:${call.operation}`, resource: '*', context: {} }]
    },
    serve: async (call, caller): Promise<Answer> => {
      if (call.operation === 'GetCallerIdentity') return queryAnswer(call, callerIdentity(caller, cloud()))
      if (call.operation === 'AssumeRole') {
        const session = sessionOf(caller)
        return queryAnswer(call, open(readAssumption(call.input, session, cloud()), session))
      }
      if (call.operation !== 'AssumeRoleWithWebIdentity') {
        throw new AwsError('InvalidAction', `${call.operation} is not emulated`)
      }
      const assumption = readAssumption(call.input, null, cloud())
      const identity = await webIdentityOf(call, assumption)
      const result = open(withToken(assumption, identity), null, identity.provider)
      const { subject, audience, provider } = identity
      return queryAnswer(call, {
        ...result,
        SubjectFromWebIdentityToken: subject,
        Audience: audience,
        Provider: provider,
      })
    },
  }
}

/** Root cannot assume roles, at AWS either. */
const sessionOf = (caller: Caller | null): Session => {
  if (caller?.kind === 'session') return caller.session
  throw new AwsError('AccessDenied', 'Roles may not be assumed by root accounts.', 403)
}

/** Throws ValidationError for what the API refuses before any policy is looked at. */
const readAssumption = (input: JsonObject, from: Session | null, cloud: Cloud): Assumption => {
  const roleArn = stringOf(input, 'RoleArn') ?? ''
  const sessionName = stringOf(input, 'RoleSessionName') ?? ''
  if (!/^arn:aws:iam::\d{12}:role\/.+$/.test(roleArn)) throw invalid(`${roleArn} is invalid`)
  // Nobody learns whether a role exists.
  if (cloud.roles[roleArn] === undefined) throw new AwsError('AccessDenied', `Not authorized on ${roleArn}`, 403)
  if (!NAME.test(sessionName)) throw invalid("Value at 'roleSessionName' failed to satisfy constraint")
  const asked = stringOf(input, 'SourceIdentity')
  if (asked !== undefined && !NAME.test(asked)) throw invalid("Value at 'sourceIdentity' failed to satisfy constraint")
  const externalId = stringOf(input, 'ExternalId')
  if (externalId !== undefined && !EXTERNAL_ID.test(externalId)) throw invalid("Value at 'externalId' failed")
  const tags = Object.fromEntries(
    objectsOf(input, 'Tags').map((tag) => [stringOf(tag, 'Key') ?? '', stringOf(tag, 'Value') ?? '']),
  )
  if (Object.keys(tags).length > TAGS_MAX) throw invalid('Too many session tags')
  const transitive = (Array.isArray(input['TransitiveTagKeys']) ? input['TransitiveTagKeys'] : []) as string[]
  if (transitive.some((key) => !(key in tags))) throw invalid('The transitive tag keys must be tags of this request')
  const overridden = from?.transitiveTagKeys.find((key) => key in tags)
  if (overridden !== undefined) throw invalid(`The tag ${overridden} is inherited and cannot be passed again`)
  // Once set it goes down the whole chain; naming another one is refused.
  if (from?.sourceIdentity !== undefined && asked !== undefined && asked !== from.sourceIdentity) {
    throw new AwsError('AccessDenied', 'The source identity of a session cannot be changed', 403)
  }
  const sourceIdentity = from?.sourceIdentity ?? asked
  return {
    roleArn,
    sessionName,
    seconds: Number(stringOf(input, 'DurationSeconds') ?? 3600),
    tags,
    transitiveTagKeys: transitive,
    ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
    sessionPolicies: sessionPoliciesOf(input, cloud),
  }
}

const invalid = (message: string): AwsError => new AwsError('ValidationError', message)

const sessionPoliciesOf = (input: JsonObject, cloud: Cloud): PolicyDocument[] => {
  const inline = stringOf(input, 'Policy')
  if (inline !== undefined && inline.length > SESSION_POLICY_CHARACTERS_MAX) {
    throw new AwsError('PackedPolicyTooLarge', 'The session policy is too long')
  }
  const managed = objectsOf(input, 'PolicyArns').map((entry) => {
    const policy = cloud.managedPolicies[stringOf(entry, 'arn') ?? '']
    if (policy === undefined) throw invalid('A session policy ARN does not exist')
    return policy
  })
  return inline === undefined ? managed : [JSON.parse(inline) as PolicyDocument, ...managed]
}

/** Credentials that are a session themselves, as every function's are, can open one hour at most. */
const checkDuration = ({ seconds }: Assumption, role: Role, from: Session | null): void => {
  if (seconds < SESSION_SECONDS_MIN || seconds > role.maxSessionSeconds) {
    throw invalid('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.')
  }
  if (from !== null && seconds > CHAINED_SECONDS_MAX) {
    throw invalid('The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining')
  }
}

const tagContext = (tags: Assumption['tags'], transitive: readonly string[]): Context => {
  const context: Record<string, string | readonly string[]> = {}
  for (const [key, value] of Object.entries(tags)) context[`aws:RequestTag/${key}`] = value
  if (Object.keys(tags).length > 0) context['aws:TagKeys'] = Object.keys(tags)
  if (transitive.length > 0) context['sts:TransitiveTagKeys'] = transitive
  return context
}

/** The main action with all its keys; tagging and source identity as permissions of their own, each with its own keys only. */
const asksFor = (action: string, assumption: Assumption, more: Context, shared: Context): Ask[] => {
  const { roleArn: resource, sessionName, tags, transitiveTagKeys, sourceIdentity } = assumption
  const tagging = tagContext(tags, transitiveTagKeys)
  const identity: Context = sourceIdentity === undefined ? {} : { 'sts:SourceIdentity': sourceIdentity }
  const main = { ...more, ...shared, ...tagging, ...identity, 'sts:RoleSessionName': sessionName }
  return [
    { action, resource, context: main },
    ...(Object.keys(tags).length > 0
      ? [{ action: 'sts:TagSession', resource, context: { ...shared, ...tagging } }]
      : []),
    ...(sourceIdentity === undefined
      ? []
      : [{ action: 'sts:SetSourceIdentity', resource, context: { ...shared, ...identity } }]),
  ]
}

const assumeRoleAsks = (assumption: Assumption, input: JsonObject): Ask[] => {
  const externalId = stringOf(input, 'ExternalId')
  return asksFor('sts:AssumeRole', assumption, externalId === undefined ? {} : { 'sts:ExternalId': externalId }, {})
}

const withToken = (assumption: Assumption, identity: WebIdentity): Assumption => ({
  ...assumption,
  tags: identity.tags,
  transitiveTagKeys: identity.transitiveTagKeys,
  ...(identity.sourceIdentity === undefined ? {} : { sourceIdentity: identity.sourceIdentity }),
})

/** The identity provider is the principal of the trust policy; its claims are keys of all three actions. */
const webIdentityAsks = (assumption: Assumption, identity: WebIdentity): Ask[] => {
  const { provider, prefix, subject, audience, originalAudience, isRoleAuthorizedByIdp } = identity
  const principal: Principal = { arn: provider, role: null, sessionPolicies: [] }
  const claims: Context = {
    [`${prefix}:sub`]: subject,
    [`${prefix}:aud`]: audience,
    [`${prefix}:oaud`]: originalAudience,
    'aws:FederatedProvider': provider,
  }
  const pinned: Context = { 'sts:RoleAuthorizedByIdp': String(isRoleAuthorizedByIdp) }
  return asksFor('sts:AssumeRoleWithWebIdentity', withToken(assumption, identity), pinned, claims).map((ask) => ({
    ...ask,
    principal,
  }))
}

const callerIdentity = (caller: Caller | null, cloud: Cloud): JsonObject => {
  if (caller?.kind !== 'session') return { Arn: caller?.arn, UserId: cloud.account, Account: cloud.account }
  const { arn, role, sessionName } = caller.session
  return { Arn: arn, UserId: `${cloud.roles[role]?.roleId}:${sessionName}`, Account: arn.split(':')[4] }
}

const wireCredentials = ({ accessKeyId, secretAccessKey, sessionToken, expiration }: Credentials): Json => ({
  AccessKeyId: accessKeyId,
  SecretAccessKey: secretAccessKey,
  SessionToken: sessionToken,
  Expiration: expiration.toISOString(),
})

const pick = (tags: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(tags).filter(([key]) => keys.includes(key)))
