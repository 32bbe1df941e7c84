// Findings of AWS, to the queue of events: from the account's own bus, and from a bus that accounts of tenants send to. Which
// tenant one is about, the account in it says, which AWS itself wrote: only AWS may send events whose source begins with `aws.`.
import { findingsBusName, type Place, ruleName } from './names.ts'
import { text } from './policies/statement.ts'
import type { Settings } from './settings.ts'

/** What lib/wire/aws-events.ts reads. How bad a finding must be, and which calls count, the tenant's document says. */
const PATTERNS = {
  guardduty: { source: ['aws.guardduty'], 'detail-type': ['GuardDuty Finding'] },
  securityhub: {
    source: ['aws.securityhub'],
    'detail-type': ['Security Hub Findings - Imported', 'Findings Imported V2'],
  },
  // A source identity stays through every role a session goes on to assume; without one no session was ours.
  cloudtrail: {
    source: [{ prefix: 'aws.' }],
    'detail-type': ['AWS API Call via CloudTrail'],
    detail: { userIdentity: { sessionContext: { sourceIdentity: [{ exists: true }] } } },
  },
} as const

export const FINDING_RULES = Object.keys(PATTERNS) as readonly (keyof typeof PATTERNS)[]

const pascal = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)

const rule = (place: Place, name: keyof typeof PATTERNS, bus: object) => ({
  Type: 'AWS::Events::Rule',
  Properties: {
    Name: ruleName(place, name),
    ...bus,
    EventPattern: PATTERNS[name],
    State: 'ENABLED',
    Targets: [
      {
        Id: 'findings',
        Arn: { 'Fn::GetAtt': ['FindingsQueue', 'Arn'] },
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['FindingsDlq', 'Arn'] } },
      },
    ],
  },
})

export const findingResources = ({ place, findingAccounts }: Settings) => ({
  FindingsBus: { Type: 'AWS::Events::EventBus', Properties: { Name: findingsBusName(place) } },
  ...Object.fromEntries(
    FINDING_RULES.flatMap((name) => [
      [`${pascal(name)}Rule`, rule(place, name, {})],
      [`${pascal(name)}BusRule`, rule(place, name, { EventBusName: { Ref: 'FindingsBus' } })],
    ]),
  ),
  ...Object.fromEntries(
    findingAccounts.map((account) => [
      `FindingsFrom${account}`,
      {
        Type: 'AWS::Events::EventBusPolicy',
        Properties: {
          EventBusName: { Ref: 'FindingsBus' },
          StatementId: `from-${account}`,
          Statement: {
            Effect: 'Allow',
            Principal: { AWS: text(`arn:\${AWS::Partition}:iam::${account}:root`) },
            Action: 'events:PutEvents',
            Resource: { 'Fn::GetAtt': ['FindingsBus', 'Arn'] },
            Condition: { StringLike: { 'events:source': 'aws.*' } },
          },
        },
      },
    ]),
  ),
})
