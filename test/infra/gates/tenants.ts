// Gates over tenant stacks.
import { policiesOf } from '../../support/packaged-template.ts'
import { type Gate, ofType } from './gate.ts'

const roles = (template: Parameters<Gate['findings']>[0]) => ofType(template, 'AWS::IAM::Role')

const TAG = '"aws:RequestTag/mintmark-tenant":"<tenant>"'
const SOURCE = '"sts:SourceIdentity":"<tenant>.*"'
const MINT = ':role/mintmark/fn/mintmark-mint"'

/** What each statement of a role's trust must ask for. */
const ASKS: Readonly<Record<string, readonly string[]>> = {
  AssumeByToken: ['"sts:RoleAuthorizedByIdp":"true"', '/t/<tenant>:aud', '/t/<tenant>:sub', TAG, SOURCE],
  TagByToken: [TAG],
  NameSourceByToken: [SOURCE],
  AssumeByMint: ['"sts:ExternalId":"mintmark-<tenant>-', MINT, TAG, SOURCE],
  TagByMint: [MINT, TAG],
  NameSourceByMint: [MINT, SOURCE],
}

export const TENANT_GATES: readonly Gate[] = [
  {
    name: 'every role of a tenant is bounded, tagged, in its tenant’s path, retained, and alone in its stack with its like',
    findings: (template) => [
      ...roles(template).flatMap(([id, { Properties: p, DeletionPolicy, UpdateReplacePolicy }]) => {
        const tenant = /^\/mintmark\/t\/([a-z][a-z0-9]{2,30})\//.exec(p.Path)?.[1]
        return [
          ...(tenant === undefined ? [`${id} is in ${p.Path}`] : []),
          ...(String(p.PermissionsBoundary).endsWith(':policy/mintmark/boundary/mintmark-workload')
            ? []
            : [`${id} has no boundary`]),
          ...(p.Tags?.some(
            (tag: { Key: string; Value: string }) => tag.Key === 'mintmark-tenant' && tag.Value === tenant,
          )
            ? []
            : [`${id} does not say whose it is`]),
          ...(DeletionPolicy === 'Retain' && UpdateReplacePolicy === 'Retain' ? [] : [`${id} goes by omission`]),
        ]
      }),
      ...Object.entries(template.Resources)
        .filter(([, { Type }]) => !/^AWS::IAM::(Role|OIDCProvider|ManagedPolicy)$/.test(Type))
        .map(([id]) => `${id} has no place in a tenant stack`),
    ],
    faults: [
      ['a role without boundary', (t) => void delete roles(t)[0]![1].Properties.PermissionsBoundary],
      [
        'a role with a boundary of its own',
        (t) =>
          Object.assign(roles(t)[0]![1].Properties, {
            PermissionsBoundary: 'arn:aws:iam::aws:policy/AdministratorAccess',
          }),
      ],
      [
        'a role of another tenant',
        (t) => Object.assign(roles(t)[0]![1].Properties, { Tags: [{ Key: 'mintmark-tenant', Value: 'other' }] }),
      ],
      ['a role outside of the path', (t) => Object.assign(roles(t)[0]![1].Properties, { Path: '/' })],
    ],
  },
  {
    name: 'a role opens only to its tenant’s issuer, by a token that names the role, or to mint with the tenant’s external id',
    findings: (template) =>
      policiesOf(template)
        .filter(({ kind }) => kind === 'trust')
        .flatMap(({ id, resource, statements }) => {
          const tenant = String(resource.Properties.Path).split('/')[3]
          const isClosed = statements.every(({ Effect }) => Effect === 'Deny')
          if (isClosed)
            return JSON.stringify(resource.Properties.ManagedPolicyArns ?? []).includes('mintmark-deny-all')
              ? []
              : [`${id} is closed but not denied`]
          return statements.flatMap((statement) => {
            const text = JSON.stringify(statement.Condition)
            return (ASKS[statement.Sid] ?? ['a statement nobody knows'])
              .map((need) => need.replace('<tenant>', String(tenant)))
              .filter((need) => !text.includes(need))
              .map((need) => `${id} ${statement.Sid} does not ask for ${need}`)
          })
        }),
    faults: [
      ['a token for another role will do', (t) => void delete open(t, 'AssumeByToken')['Bool']],
      ['no external id', (t) => void delete open(t, 'AssumeByMint')['StringEquals']!['sts:ExternalId']],
      [
        'any tenant may tag',
        (t) => void delete open(t, 'TagByToken')['StringEquals']!['aws:RequestTag/mintmark-tenant'],
      ],
    ],
  },
]

type Open = { readonly Sid: string; readonly Condition: Record<string, Record<string, unknown>> }
/** The condition of the first trust statement of that name. */
const open = (template: Parameters<Gate['findings']>[0], sid: string): Open['Condition'] =>
  roles(template)
    .flatMap(([, { Properties }]) => Properties.AssumeRolePolicyDocument.Statement as Open[])
    .find(({ Sid }) => Sid === sid)!.Condition
