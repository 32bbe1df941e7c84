// Our own evaluator of IAM conditions: the table says what IAM documents, and the simulator of @cloud-copilot, which knows these
// operators on keys it has heard of, must say the same.
import { runSimulation } from '@cloud-copilot/iam-simulate'
import { describe, expect, test } from 'vitest'
import { document, emptyCloud, type PolicyDocument, type Role } from '../support/aws/cloud.ts'
import { type Context, conditionHolds } from '../support/aws/condition.ts'
import { decide } from '../support/aws/decision.ts'

const ACCOUNT = '111122223333'
const ROLE = `arn:aws:iam::${ACCOUNT}:role/r`

/** `%` in the value column stands for the key under test. */
type Row = readonly [
  operator: string,
  expected: string | readonly string[],
  actual: string | readonly string[] | undefined,
  holds: boolean,
]

const SINGLE: readonly Row[] = [
  ['StringEquals', 'acme', 'acme', true],
  ['StringEquals', 'acme', 'ACME', false],
  ['StringEquals', ['globex', 'acme'], 'acme', true],
  ['StringEquals', 'ac*', 'acme', false],
  ['StringEquals', 'acme', undefined, false],
  ['StringEqualsIfExists', 'acme', undefined, true],
  ['StringEqualsIfExists', 'acme', 'globex', false],
  ['StringEqualsIgnoreCase', 'acme', 'ACME', true],
  ['StringNotEquals', 'acme', 'acme', false],
  ['StringNotEquals', 'acme', 'globex', true],
  ['StringNotEquals', 'acme', undefined, true],
  ['StringLike', 'ac*', 'acme', true],
  ['StringLike', 'ac*', 'globex', false],
  ['StringLike', 'ac??', 'acme', true],
  ['StringLike', 'ac?', 'acme', false],
  ['StringLike', 'a.me', 'acme', false],
  ['StringLike', '*', undefined, false],
  ['StringNotLike', 'ac*', 'acme', false],
  ['StringNotLike', 'ac*', undefined, true],
  ['StringEquals', `\${aws:PrincipalTag/tenant}`, 'acme', true],
  ['StringEquals', `\${aws:PrincipalTag/tenant}`, 'globex', false],
  ['StringEquals', `\${aws:PrincipalTag/none}`, '', false],
  ['StringEquals', `\${aws:PrincipalTag/none, 'acme'}`, 'acme', true],
  ['StringLike', `\${aws:PrincipalTag/tenant}.*`, 'acme.r42', true],
  ['StringLike', `\${aws:PrincipalTag/tenant}.*`, 'globex.r42', false],
  ['StringLike', `\${aws:PrincipalTag/none}*`, 'acme', false],
  ['StringLike', `a\${*}e`, 'a*e', true],
  ['StringLike', `a\${*}e`, 'acme', false],
  ['Null', 'true', undefined, true],
  ['Null', 'false', undefined, false],
  ['Null', 'false', 'acme', true],
  ['Null', 'true', 'acme', false],
]

const MANY: readonly Row[] = [
  ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'b'], true],
  ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'c'], false],
  ['ForAllValues:StringEquals', ['a'], undefined, true],
  ['ForAllValues:StringLike', ['T#acme#*'], ['T#acme#1', 'T#globex#1'], false],
  ['ForAllValues:StringNotEquals', ['c'], ['a', 'b'], true],
  ['ForAllValues:StringNotEquals', ['b'], ['a', 'b'], false],
  ['ForAnyValue:StringEquals', ['c', 'b'], ['a', 'b'], true],
  ['ForAnyValue:StringEquals', ['c'], ['a', 'b'], false],
  ['ForAnyValue:StringEquals', ['c'], undefined, false],
  ['ForAnyValue:StringLike', ['a*'], ['b', 'ab'], true],
  ['ForAnyValue:StringNotEquals', ['a'], ['a', 'b'], true],
  ['ForAnyValue:StringNotEquals', ['a'], ['a'], false],
]

const ARNS: readonly Row[] = [
  ['ArnEquals', 'arn:aws:iam::1:role/a', 'arn:aws:iam::1:role/a', true],
  ['ArnEquals', 'arn:aws:iam::1:role/*', 'arn:aws:iam::1:role/a', true],
  ['ArnLike', 'arn:aws:iam::*:role/a', 'arn:aws:iam::2:role/a', true],
  ['ArnLike', 'arn:aws:iam:*:role/a', 'arn:aws:iam::1:role/a', false],
  ['ArnNotLike', 'arn:aws:iam::1:role/*', 'arn:aws:iam::1:role/a', false],
  ['ArnNotEquals', 'arn:aws:iam::1:role/b', 'arn:aws:iam::1:role/a', true],
]

const TAG: Context = { 'aws:PrincipalTag/tenant': 'acme' }

/** What the simulator says of one condition on a key it knows. */
const simulated = async (key: string, [operator, expected, actual]: Row): Promise<boolean> => {
  const Condition = { [operator]: { [key]: expected } }
  const policy = document({ Effect: 'Allow', Action: '*', Resource: '*', Condition: Condition as never })
  const context = actual === undefined ? TAG : { ...TAG, [key]: actual }
  const result = await runSimulation(
    {
      request: {
        principal: ROLE,
        action: 'dynamodb:GetItem',
        resource: { resource: `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/t`, accountId: ACCOUNT },
        contextVariables: context as Record<string, string | string[]>,
      },
      identityPolicies: [{ name: 'p', policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  )
  if (result.resultType !== 'single') throw new Error(JSON.stringify(result))
  expect(result.result.ignoredContextKeys).toEqual([])
  return result.overallResult === 'Allowed'
}

describe.each([
  ['aws:SourceIdentity', SINGLE],
  ['dynamodb:LeadingKeys', MANY],
  ['aws:SourceArn', ARNS],
] as const)('conditions on %s', (key, rows) => {
  test.each(rows)('%s %j of %j is %j, as documented', (operator, expected, actual, holds) => {
    const context = actual === undefined ? TAG : { ...TAG, 'kms:EncryptionContext:x': actual }
    expect(conditionHolds(operator, 'kms:EncryptionContext:x', expected, context)).toBe(holds)
  })
  test.each(rows)('%s %j of %j is what the simulator says', async (...row) => {
    expect(await simulated(key, row)).toBe(row[3])
  })
})

test('a tag value with a star in it is text: it does not become a pattern', () => {
  const context = { 'aws:PrincipalTag/tenant': '*', 'kms:EncryptionContext:tenant': 'globex' }
  expect(conditionHolds('StringLike', 'kms:EncryptionContext:tenant', `\${aws:PrincipalTag/tenant}`, context)).toBe(
    false,
  )
})

test('an operator that is not evaluated here is an error, not a condition that fails', () => {
  expect(() => conditionHolds('NumericLessThan', 'kms:EncryptionContext:x', '1', {})).toThrow('NumericLessThan')
})

const roleWith = (policy: PolicyDocument): Role => ({
  arn: ROLE,
  roleId: 'AROA1',
  tags: {},
  maxSessionSeconds: 3600,
  trust: document(),
  inline: { own: policy },
  attached: [],
})
const ask = (context: Context) => ({
  principal: { arn: `arn:aws:sts::${ACCOUNT}:assumed-role/r/s`, role: ROLE, sessionPolicies: [] },
  action: 'dynamodb:GetItem',
  resource: `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/t`,
  resourceAccount: ACCOUNT,
  context: { 'aws:PrincipalArn': ROLE, ...context },
})

describe('a decision', () => {
  const cloudWith = (policy: PolicyDocument) => ({
    ...emptyCloud(ACCOUNT, 'eu-west-1'),
    roles: { [ROLE]: roleWith(policy) },
  })

  test('never rests on a key the simulator threw away: that is an error', async () => {
    const policy = document({
      Effect: 'Allow',
      Action: '*',
      Resource: '*',
      Condition: { StringEquals: { 'kms:KeySpec': 'x' } },
    })
    await expect(decide(cloudWith(policy), ask({ 'kms:KeySpec': 'x' }))).rejects.toThrow('kms:KeySpec')
  })

  test('refuses a provider claim used as a variable elsewhere, where nobody would fill it in', async () => {
    const policy = document({ Effect: 'Allow', Action: '*', Resource: `arn:aws:s3:::b/\${sts.example.com:sub}` })
    await expect(decide(cloudWith(policy), ask({ 'sts.example.com:sub': 'x' }))).rejects.toThrow('sts.example.com:sub')
  })

  test('names the statements that matched, by Sid or by place', async () => {
    const policy = document(
      { Effect: 'Allow', Action: 'dynamodb:*', Resource: '*' },
      { Sid: 'NeverRead', Effect: 'Deny', Action: 'dynamodb:GetItem', Resource: '*' },
    )
    expect(await decide(cloudWith(policy), ask({}))).toEqual({
      outcome: 'ExplicitlyDenied',
      matched: [
        { policy: 'role r, inline own', statement: 'NeverRead', effect: 'Deny' },
        { policy: 'role r, inline own', statement: 'Statement0', effect: 'Allow' },
      ],
    })
  })

  test("names a table's policy when it decides about an index of the table", async () => {
    const table = `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/t`
    const policy = document({ Sid: 'NoIndex', Effect: 'Deny', Principal: '*', Action: 'dynamodb:Query', Resource: '*' })
    const cloud = {
      ...cloudWith(document({ Effect: 'Allow', Action: '*', Resource: '*' })),
      resources: { [table]: { policy } },
    }
    const query = { ...ask({}), action: 'dynamodb:Query', resource: `${table}/index/by-owner` }
    const { matched } = await decide(cloud, query)
    expect(matched).toContainEqual({
      policy: `policy of dynamodb:eu-west-1:${ACCOUNT}:table/t`,
      statement: 'NoIndex',
      effect: 'Deny',
    })
  })

  test('a trust or key policy whose only statement fails a gap condition refuses: it does not count as no policy', async () => {
    const key = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/k`
    const policy = document({
      Effect: 'Allow',
      Principal: { AWS: ROLE },
      Action: 'kms:Decrypt',
      Resource: '*',
      Condition: { StringEquals: { 'kms:EncryptionContext:tenant': 'acme' } },
    })
    const cloud = {
      ...cloudWith(document({ Effect: 'Allow', Action: '*', Resource: '*' })),
      resources: { [key]: { policy } },
    }
    const decrypt = (tenant: string) =>
      decide(cloud, { ...ask({ 'kms:EncryptionContext:tenant': tenant }), action: 'kms:Decrypt', resource: key })
    expect((await decrypt('acme')).outcome).toBe('Allowed')
    expect((await decrypt('globex')).outcome).toBe('ImplicitlyDenied')
  })
})
