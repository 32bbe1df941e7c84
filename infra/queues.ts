// Queues, and where what failed waits for a person. A message carries its tenant as MessageGroupId, which makes a standard
// queue fair: a flood of one tenant holds up no other.
import { LIMITS } from '../lib/domain/limits.ts'
import { FINDING_RULES } from './findings.ts'
import { type AnyQueue, busRuleArn, type DeadLetterName, type Place, queueArn, queueName, ruleArn } from './names.ts'
import type { Statement } from './policies/statement.ts'
import { queuePolicy, ruleMaySend } from './policies/storage.ts'
import { TIMEOUT_SECONDS } from './timeouts.ts'

const DAY = 24 * 3600

type QueueShape = { readonly visibilitySeconds?: number; readonly keepDays: number; readonly deadLetters?: string }

const queue = (name: string, { visibilitySeconds, keepDays, deadLetters }: QueueShape) => ({
  Type: 'AWS::SQS::Queue',
  DeletionPolicy: 'Retain',
  UpdateReplacePolicy: 'Retain',
  Properties: {
    QueueName: name,
    SqsManagedSseEnabled: true,
    MessageRetentionPeriod: keepDays * DAY,
    ...(visibilitySeconds === undefined ? {} : { VisibilityTimeout: visibilitySeconds }),
    ...(deadLetters === undefined
      ? {}
      : {
          RedrivePolicy: {
            deadLetterTargetArn: { 'Fn::GetAtt': [deadLetters, 'Arn'] },
            maxReceiveCount: LIMITS.queueReceivesMax,
          },
        }),
  },
})

const policyOf = (logicalId: string, place: Place, name: AnyQueue, producers: readonly Statement[] = []) => ({
  [`${logicalId}Policy`]: {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: { Queues: [{ Ref: logicalId }], PolicyDocument: queuePolicy(queueArn(place, name), producers) },
  },
})

/** `revoke-dlq` is RevokeDlq: what receives failures can be told by its logical id. */
export const deadLetterId = (name: DeadLetterName): string =>
  name.replace(/(^|-)([a-z])/g, (_match, _dash, letter: string) => letter.toUpperCase())

// Longer than the queues they stand behind: a message keeps its age when it is put aside.
const deadLetter = (place: Place, name: DeadLetterName, producers: readonly Statement[] = []) => ({
  [deadLetterId(name)]: queue(queueName(place, name), { keepDays: 14 }),
  ...policyOf(deadLetterId(name), place, name, producers),
})

/** Six times what one batch may take (AWS Lambda guide, SQS): no message is delivered while it is worked on. */
const visibility = (fn: 'revoke' | 'audit' | 'events' | 'push'): number => 6 * TIMEOUT_SECONDS[fn]

/** EventBridge, from the rules of both buses. */
const findingsMaySend = (place: Place, queue: AnyQueue): Statement =>
  ruleMaySend(
    queueArn(place, queue),
    ...FINDING_RULES.flatMap((rule) => [ruleArn(place, rule), busRuleArn(place, rule)]),
  )

export const queueResources = (place: Place) => ({
  RevokeQueue: queue(queueName(place, 'revoke'), {
    visibilitySeconds: visibility('revoke'),
    keepDays: 4,
    deadLetters: 'RevokeDlq',
  }),
  ...policyOf('RevokeQueue', place, 'revoke'),
  DenialsQueue: queue(queueName(place, 'denials'), {
    visibilitySeconds: visibility('audit'),
    keepDays: 4,
    deadLetters: 'DenialsDlq',
  }),
  ...policyOf('DenialsQueue', place, 'denials'),
  FindingsQueue: queue(queueName(place, 'findings'), {
    visibilitySeconds: visibility('events'),
    keepDays: 4,
    deadLetters: 'FindingsDlq',
  }),
  ...policyOf('FindingsQueue', place, 'findings', [findingsMaySend(place, 'findings')]),
  // Wakes: what they stand for is in the table, and is swept for.
  PushQueue: queue(queueName(place, 'push'), {
    visibilitySeconds: visibility('push'),
    keepDays: 1,
    deadLetters: 'PushDlq',
  }),
  ...policyOf('PushQueue', place, 'push'),
  ...deadLetter(place, 'revoke-dlq'),
  ...deadLetter(place, 'denials-dlq'),
  ...deadLetter(place, 'findings-dlq', [findingsMaySend(place, 'findings-dlq')]),
  ...deadLetter(place, 'audit-dlq', [ruleMaySend(queueArn(place, 'audit-dlq'), ruleArn(place, 'audit'))]),
  ...deadLetter(place, 'trust-dlq', [ruleMaySend(queueArn(place, 'trust-dlq'), ruleArn(place, 'trust'))]),
  ...deadLetter(place, 'rotate-dlq', [ruleMaySend(queueArn(place, 'rotate-dlq'), ruleArn(place, 'rotate'))]),
  ...deadLetter(place, 'push-dlq', [ruleMaySend(queueArn(place, 'push-dlq'), ruleArn(place, 'push'))]),
  ...deadLetter(place, 'checkpoint-dlq', [
    ruleMaySend(queueArn(place, 'checkpoint-dlq'), ruleArn(place, 'checkpoint')),
  ]),
  ...deadLetter(place, 'deliver-dlq', [ruleMaySend(queueArn(place, 'deliver-dlq'), ruleArn(place, 'deliver'))]),
  ...deadLetter(place, 'erase-dlq', [ruleMaySend(queueArn(place, 'erase-dlq'), ruleArn(place, 'erase'))]),
  ...deadLetter(place, 'archive-dlq'),
})
