// IAM on roles and texts: policies that are made, inline ones and attachments, as far as denials are written with them. What is written here decides the very
// next call. Every other action is still judged, so that "may not" can be tried for all of them, and then refused as unknown.
import { validateIdentityPolicy } from '@cloud-copilot/iam-policy'
import { type Answer, AwsError, queryAnswer } from './answer.ts'
import { type AwsCall, type JsonObject, objectsOf, stringOf } from './call.ts'
import { type Cloud, findRole, nameOf, type PolicyDocument, type Role } from './cloud.ts'
import type { Ask, Service } from './service.ts'

/** All inline policies of a role together, white space aside. */
const INLINE_CHARACTERS_MAX = 10_240
const ATTACHED_MAX = 10
/** Actions that know the boundary of the role they change (service authorization reference of IAM). */
const WITH_BOUNDARY =
  /^(Put|Delete|Attach|Detach)RolePolicy$|^(Create|Delete)Role$|^UpdateAssumeRolePolicy$|^(Put|Delete)RolePermissionsBoundary$/

export const iamService = (cloud: () => Cloud, change: (next: Cloud) => void): Service => {
  const put = (role: Role): void => change({ ...cloud(), roles: { ...cloud().roles, [role.arn]: role } })
  return {
    asks: (call) => [iamAsk(call, cloud())],
    serve: (call): Answer => {
      const { input, operation } = call
      if (operation === 'CreatePolicy') {
        const arn = policyArnOf(input, cloud())
        if (cloud().managedPolicies[arn] !== undefined)
          throw new AwsError('EntityAlreadyExists', 'A policy of this name exists.', 409)
        change({ ...cloud(), managedPolicies: { ...cloud().managedPolicies, [arn]: parsePolicy(input) } })
        return queryAnswer(call, { Policy: { PolicyName: nameOf(arn), Arn: arn } })
      }
      const role = findRole(cloud(), stringOf(input, 'RoleName') ?? '')
      if (role === undefined) throw new AwsError('NoSuchEntity', 'The role cannot be found.', 404)
      const name = stringOf(input, 'PolicyName') ?? ''
      const policyArn = stringOf(input, 'PolicyArn') ?? ''
      switch (operation) {
        case 'PutRolePolicy':
          put({ ...role, inline: { ...role.inline, [name]: readPolicy(input, role, name) } })
          return queryAnswer(call, null)
        case 'GetRolePolicy': {
          const policy = role.inline[name]
          if (policy === undefined) throw new AwsError('NoSuchEntity', 'The role policy cannot be found.', 404)
          const PolicyDocument = encodeURIComponent(JSON.stringify(policy))
          return queryAnswer(call, { RoleName: nameOf(role.arn), PolicyName: name, PolicyDocument })
        }
        case 'DeleteRolePolicy': {
          const { [name]: _gone, ...inline } = role.inline
          put({ ...role, inline })
          return queryAnswer(call, null)
        }
        case 'AttachRolePolicy':
          if (cloud().managedPolicies[policyArn] === undefined)
            throw new AwsError('NoSuchEntity', 'No such policy', 404)
          if (role.attached.length >= ATTACHED_MAX)
            throw new AwsError('LimitExceeded', 'Too many policies attached', 409)
          put({ ...role, attached: [...new Set([...role.attached, policyArn])] })
          return queryAnswer(call, null)
        case 'DetachRolePolicy':
          put({ ...role, attached: role.attached.filter((each) => each !== policyArn) })
          return queryAnswer(call, null)
        case 'ListAttachedRolePolicies':
          return queryAnswer(call, {
            AttachedPolicies: role.attached.map((arn) => ({ PolicyName: nameOf(arn), PolicyArn: arn })),
            IsTruncated: false,
          })
        default:
          throw new AwsError('InvalidAction', `${operation} is not emulated`)
      }
    },
  }
}

const policyArnOf = (input: JsonObject, { account }: Cloud): string =>
  `arn:aws:iam::${account}:policy${stringOf(input, 'Path') ?? '/'}${stringOf(input, 'PolicyName')}`

const parsePolicy = (input: JsonObject): PolicyDocument => {
  let policy: PolicyDocument
  try {
    policy = JSON.parse(stringOf(input, 'PolicyDocument') ?? '') as PolicyDocument
  } catch {
    throw new AwsError('MalformedPolicyDocument', 'The policy is not JSON.')
  }
  if (validateIdentityPolicy(policy).length > 0)
    throw new AwsError('MalformedPolicyDocument', 'Syntax errors in policy.')
  return policy
}

const readPolicy = (input: JsonObject, role: Role, name: string): PolicyDocument => {
  const policy = parsePolicy(input)
  const characters = JSON.stringify(Object.values({ ...role.inline, [name]: policy })).length
  if (characters > INLINE_CHARACTERS_MAX) {
    throw new AwsError('LimitExceeded', 'Maximum policy size of 10240 bytes exceeded', 409)
  }
  return policy
}

/** A role that does not exist is asked for by the name it would have, under the path given. */
const iamAsk = ({ input, operation }: AwsCall, cloud: Cloud): Ask => {
  const name = stringOf(input, 'RoleName')
  const action = `iam:${operation}`
  if (operation === 'CreatePolicy') return { action, resource: policyArnOf(input, cloud), context: {} }
  if (name === undefined) return { action, resource: stringOf(input, 'PolicyArn') ?? '*', context: {} }
  const role = findRole(cloud, name)
  const context: Record<string, string | string[]> = {}
  const boundary = stringOf(input, 'PermissionsBoundary') ?? role?.boundary
  if (boundary !== undefined && WITH_BOUNDARY.test(operation)) context['iam:PermissionsBoundary'] = boundary
  const policyArn = stringOf(input, 'PolicyArn')
  if (policyArn !== undefined) context['iam:PolicyARN'] = policyArn
  const tags = objectsOf(input, 'Tags').map(
    (tag) => [stringOf(tag, 'Key') ?? '', stringOf(tag, 'Value') ?? ''] as const,
  )
  for (const [key, value] of tags) context[`aws:RequestTag/${key}`] = value
  if (tags.length > 0) context['aws:TagKeys'] = tags.map(([key]) => key)
  const resource = role?.arn ?? `arn:aws:iam::${cloud.account}:role${stringOf(input, 'Path') ?? '/'}${name}`
  return { action, resource, context }
}
