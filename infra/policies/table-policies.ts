// The tables' own policies: who may write which row, whatever identity policies say. They are the table of writers in
// docs/storage.md, and the last fence behind a role that was given too much.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { APPLY_ROLE_ARN, DATA_PATH, dataRoleArn, FUNCTION_PATH, functionRoleArn, OPERATOR_ROLE_ARN } from '../names.ts'
import { type Action, all, deny, type PolicyDocument, policy, text, touchingRows } from './statement.ts'

const rows = leadingKeys('*')

/** Kind of row, and the only roles that may write it. */
export const WRITERS = {
  Configuration: { rows: [rows.config, rows.tenantList], roles: [APPLY_ROLE_ARN] },
  KeySets: { rows: [rows.issuerKeySets], roles: [functionRoleArn('trust')] },
  Records: { rows: [rows.grants, rows.decisions, rows.proofs], roles: [dataRoleArn('mint')] },
  CallerProofs: {
    rows: [rows.callerProofs],
    roles: [dataRoleArn('introspect'), dataRoleArn('admin'), dataRoleArn('poll')],
  },
  // An operator lifts blocks, by hand.
  Revocations: {
    rows: [rows.revocations, rows.revocationVersion, rows.revocationChanges],
    roles: [dataRoleArn('revoke'), OPERATOR_ROLE_ARN],
  },
  Receivers: { rows: [rows.receivers], roles: [dataRoleArn('push'), dataRoleArn('poll')] },
  Orders: { rows: [rows.appliedOrders], roles: [dataRoleArn('revoke')] },
  SecurityEvents: { rows: [rows.securityEvents], roles: [dataRoleArn('events')] },
  LookUps: { rows: [rows.lookUps], roles: [dataRoleArn('admin')] },
  // erase and apply have the right to delete them, and none to write.
  OwnKeys: {
    rows: [rows.signingKeys],
    roles: [
      dataRoleArn('mint'),
      dataRoleArn('feed'),
      dataRoleArn('checkpoint'),
      dataRoleArn('rotate'),
      dataRoleArn('erase'),
      APPLY_ROLE_ARN,
    ],
  },
  FeedSecrets: { rows: [rows.feedSecret], roles: [dataRoleArn('mint'), dataRoleArn('erase')] },
  ClockMark: { rows: [rows.clockMark], roles: [functionRoleArn('mint')] },
  Rates: { rows: [rows.rates], roles: [functionRoleArn('attest')] },
} as const

const WRITES: readonly Action[] = ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem']

const BROKER_ROLES = [
  `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role${FUNCTION_PATH}*`,
  `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role${DATA_PATH}*`,
  APPLY_ROLE_ARN,
  OPERATOR_ROLE_ARN,
]

export const coreTablePolicy: PolicyDocument = policy([
  deny('OnlyBrokerRoles', {
    principal: '*',
    actions: [
      ...WRITES,
      'dynamodb:GetItem',
      'dynamodb:BatchGetItem',
      'dynamodb:Query',
      'dynamodb:Scan',
      'dynamodb:BatchWriteItem',
      'dynamodb:PartiQLSelect',
      'dynamodb:PartiQLInsert',
      'dynamodb:PartiQLUpdate',
      'dynamodb:PartiQLDelete',
    ],
    resources: ['*'],
    when: { ArnNotLike: { 'aws:PrincipalArn': BROKER_ROLES.map(text) } },
  }),
  deny('NoScansNorBulk', {
    principal: '*',
    actions: [
      'dynamodb:Scan',
      'dynamodb:BatchWriteItem',
      'dynamodb:PartiQLInsert',
      'dynamodb:PartiQLUpdate',
      'dynamodb:PartiQLDelete',
    ],
    resources: ['*'],
  }),
  ...Object.entries(WRITERS).map(([what, writer]) =>
    deny(`Write${what}`, {
      principal: '*',
      actions: WRITES,
      resources: ['*'],
      when: all(touchingRows(...writer.rows), { ArnNotEquals: { 'aws:PrincipalArn': writer.roles.map(text) } }),
    }),
  ),
])

/** Kind of row of the log, and the only roles that may write it: who appends cannot sign, and who signs cannot append. */
export const LOG_WRITERS = {
  Log: {
    rows: [rows.log, rows.logHead, rows.logUids, rows.publicLog, rows.logDenials],
    roles: [dataRoleArn('audit')],
  },
  Checkpoints: { rows: [rows.logCheckpoints], roles: [dataRoleArn('checkpoint')] },
  LogList: {
    rows: [rows.logList],
    roles: [functionRoleArn('audit'), functionRoleArn('checkpoint'), functionRoleArn('erase')],
  },
  Expired: { rows: [rows.logExpired], roles: [dataRoleArn('erase')] },
  Sinks: { rows: [rows.sinks, rows.deadLetters], roles: [dataRoleArn('deliver')] },
  // An operator asks, deliver does.
  SinkErrands: { rows: [rows.sinkErrands], roles: [dataRoleArn('admin'), dataRoleArn('deliver')] },
} as const

/** What may go: events with what was kept of their denials, and what is known of sinks. By whom alone. */
const ERASERS = {
  Events: { rows: [rows.log, rows.logDenials], roles: [dataRoleArn('erase')] },
  Letters: { rows: [rows.deadLetters, rows.sinkErrands], roles: [dataRoleArn('deliver'), dataRoleArn('erase')] },
} as const
const ERASED = Object.values(ERASERS).flatMap((eraser): readonly string[] => eraser.rows)

/** The log: each row has its writer, and of what proves anything nobody takes. */
export const logTablePolicy: PolicyDocument = policy([
  deny('OnlyItsWriters', {
    principal: '*',
    actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem'],
    resources: ['*'],
    when: {
      ArnNotEquals: {
        'aws:PrincipalArn': [...new Set(Object.values(LOG_WRITERS).flatMap(({ roles }) => roles))].map(text),
      },
    },
  }),
  ...Object.entries(LOG_WRITERS).map(([what, writer]) =>
    deny(`Write${what}`, {
      principal: '*',
      actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem'],
      resources: ['*'],
      when: all(touchingRows(...writer.rows), { ArnNotEquals: { 'aws:PrincipalArn': writer.roles.map(text) } }),
    }),
  ),
  deny('NobodyErases', {
    principal: '*',
    actions: ['dynamodb:DeleteItem'],
    resources: ['*'],
    when: touchingRows(
      ...Object.values(LOG_WRITERS)
        .flatMap((writer): readonly string[] => writer.rows)
        .filter((row) => !ERASED.includes(row)),
    ),
  }),
  ...Object.entries(ERASERS).map(([what, eraser]) =>
    deny(`Erase${what}`, {
      principal: '*',
      actions: ['dynamodb:DeleteItem'],
      resources: ['*'],
      when: all(touchingRows(...eraser.rows), { ArnNotEquals: { 'aws:PrincipalArn': eraser.roles.map(text) } }),
    }),
  ),
  deny('NoBulk', {
    principal: '*',
    actions: ['dynamodb:BatchWriteItem', 'dynamodb:PartiQLInsert', 'dynamodb:PartiQLUpdate', 'dynamodb:PartiQLDelete'],
    resources: ['*'],
  }),
])
