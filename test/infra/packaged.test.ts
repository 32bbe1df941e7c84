// The package itself: made twice, offline and without credentials, and judged by our own gates. Each gate is shown to bite.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { FUNCTIONS } from '../../infra/names.ts'
import { readTemplate, renderTemplate, type Template } from '../support/packaged-template.ts'
import { EDGE_GATES } from './gates/edges.ts'
import type { Gate } from './gates/gate.ts'
import { IAM_GATES } from './gates/iam.ts'
import { PLATFORM_GATES } from './gates/platform.ts'
import { policyProblems } from './gates/policy-language.ts'
import { TENANT_GATES } from './gates/tenants.ts'

const root = join(import.meta.dirname, '../..')

const packageAll = () => {
  // No credentials, no home with any, and no proxy to a network: what needs one fails.
  const done = spawnSync('npm', ['run', '-s', 'package', '--', '--param=tenants=test/infra/tenants'], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: join(root, 'dist') },
  })
  expect(`${done.stdout}${done.stderr}`).toMatch(/stacks packaged/)
  expect(done.status).toBe(0)
}

const folders = (): string[] => [
  '.serverless',
  '.serverless-edge',
  ...readdirSync(join(root, '.serverless-tenants')).map((stack) => `.serverless-tenants/${stack}`),
]

/** Everything that is shipped, hashed; the timestamps in which osls names an upload are masked. */
const digests = (): Record<string, string> => {
  const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')
  const template = (folder: string) =>
    readFileSync(join(root, folder, 'cloudformation-template-update-stack.json'), 'utf8').replace(
      /\d{13}-\d{4}-\d{2}-\d{2}T[\d:.]+Z/g,
      'TIME',
    )
  return Object.fromEntries([
    ...FUNCTIONS.map((fn) => [`dist/${fn}.zip`, sha256(readFileSync(join(root, `dist/${fn}.zip`)))]),
    ...folders().map((folder) => [folder, sha256(template(folder))]),
  ])
}

let core: Template
let tenants: Template[]
let edge: Template
let first: Record<string, string>

beforeAll(() => {
  packageAll()
  first = digests()
  const read = (folder: string) => renderTemplate(readTemplate(join(root, folder)))
  core = read('.serverless')
  edge = read('.serverless-edge')
  tenants = folders()
    .filter((folder) => folder.startsWith('.serverless-tenants/'))
    .map(read)
})

test('packaged twice, every byte is the same but for timestamps', () => {
  packageAll()
  expect(digests()).toEqual(first)
})

test('tenants lie in stacks by tier and account: one file more is one tenant more, and a removed one keeps its own', () => {
  expect(folders().slice(2)).toEqual([
    '.serverless-tenants/account-444455556666',
    '.serverless-tenants/shard-15',
    '.serverless-tenants/shard-6',
    '.serverless-tenants/silo-siloco',
  ])
})

test('no two stacks export one name, or the second could not be deployed', () => {
  const exported = folders().flatMap((folder) =>
    Object.values(readTemplate(join(root, folder)).Outputs ?? {}).map((output) => JSON.stringify(output.Export)),
  )
  expect(exported.length).toBeGreaterThan(tenants.length)
  expect([...new Set(exported)]).toEqual(exported)
})

const CORE_GATES: readonly Gate[] = [...IAM_GATES, ...EDGE_GATES, ...PLATFORM_GATES]

describe('core stack', () => {
  test.each(CORE_GATES.map((gate) => [gate.name, gate] as const))('%s', (_name, gate) => {
    expect(gate.findings(core)).toEqual([])
  })

  test.each(CORE_GATES.flatMap((gate) => gate.faults.map(([says, plant]) => [says, gate, plant] as const)))(
    'a gate bites: %s',
    (_says, gate, plant) => {
      const planted = structuredClone(core)
      plant(planted)
      expect(gate.findings(planted)).not.toEqual([])
    },
  )
})

describe('tenant stacks', () => {
  const gates = [
    ...TENANT_GATES,
    ...IAM_GATES.filter(({ name }) => /ForAllValues|policy variable|role trusts/.test(name)),
  ]

  test.each(gates.map((gate) => [gate.name, gate] as const))('%s', (_name, gate) => {
    expect(tenants.flatMap(gate.findings)).toEqual([])
  })

  test.each(TENANT_GATES.flatMap((gate) => gate.faults.map(([says, plant]) => [says, gate, plant] as const)))(
    'a gate bites: %s',
    (_says, gate, plant) => {
      const planted = structuredClone(tenants[0]!)
      plant(planted)
      expect(gate.findings(planted)).not.toEqual([])
    },
  )
})

test('the WAF stands before CloudFront, which speaks TLS alone', () => {
  const { WebACLId, DefaultCacheBehavior, Origins } = edge.Resources['Distribution']!.Properties.DistributionConfig
  expect(WebACLId).toBe('WebAcl.Arn')
  expect(DefaultCacheBehavior.ViewerProtocolPolicy).toBe('https-only')
  expect(Origins[0].CustomOriginConfig.OriginMtlsConfig.ClientCertificateArn).toMatch(/^arn:aws:acm:us-east-1:/)
})

describe('the language of policies', () => {
  test('every statement of every policy is valid, action by action and key by key', async () => {
    expect(await Promise.all([core, ...tenants].map(policyProblems)).then((all) => all.flat())).toEqual([])
  })

  test.each([
    [
      'an action that does not exist',
      (s: Record<string, unknown>) => {
        s['Action'] = ['dynamodb:GetItemz']
      },
    ],
    [
      'a key the action does not have',
      (s: Record<string, unknown>) => {
        s['Condition'] = { StringEquals: { 'sts:ExternalId': 'x' } }
      },
    ],
    [
      'a key with a space in it',
      (s: Record<string, unknown>) => {
        s['Condition'] = { StringEquals: { 'dynamodb: LeadingKeys': 'x' } }
      },
    ],
    [
      'an operator that does not exist',
      (s: Record<string, unknown>) => {
        s['Condition'] = { StringEqualz: { 'aws:PrincipalArn': 'x' } }
      },
    ],
    [
      'an effect that does not exist',
      (s: Record<string, unknown>) => {
        s['Effect'] = 'Allw'
      },
    ],
  ])('it bites: %s', async (_says, plant) => {
    const planted = structuredClone(core)
    const statements = planted.Resources['TrustRole']!.Properties.Policies[0].PolicyDocument.Statement
    plant(statements.find(({ Sid }: { Sid: string }) => Sid === 'ReadSources'))
    expect(await policyProblems(planted)).not.toEqual([])
  })
})
