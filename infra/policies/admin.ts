// admin serves the operators of one tenant: it reads that tenant's decisions, orders and revocations, writes only that it was
// asked, and orders everything else.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { CORE_TABLE_ARN, LOG_TABLE_ARN, type Place } from '../names.ts'
import { callerRole, readTokens, spendProofs } from './callers.ts'
import { dataRole, neverErase, noDirectKms, type Role } from './role.ts'
import { allow, onRows, SESSION_TENANT } from './statement.ts'

const own = leadingKeys(SESSION_TENANT)

export const adminRole = (place: Place): Role =>
  callerRole('admin', place, 'Serves the operators of a tenant. Orders, and edits no trust.')

export const adminDataRole: Role = dataRole('admin', 'One tenant: reads its decisions and what is in force.', [
  readTokens,
  spendProofs,
  // The order in which what is in force is listed.
  allow('ReadChanges', {
    actions: ['dynamodb:Query'],
    resources: [CORE_TABLE_ARN],
    when: onRows(own.revocationChanges),
  }),
  // Of a change that a receiver was not told: when it was.
  allow('ReadReceivers', {
    actions: ['dynamodb:BatchGetItem'],
    resources: [CORE_TABLE_ARN],
    when: onRows(own.receivers, own.revocationChanges),
  }),
  allow('ReadOrders', {
    actions: ['dynamodb:GetItem'],
    resources: [CORE_TABLE_ARN],
    when: onRows(own.appliedOrders),
  }),
  // Denials have no record: they are found beside the log.
  allow('ReadDenials', {
    actions: ['dynamodb:GetItem'],
    resources: [LOG_TABLE_ARN],
    when: onRows(own.logDenials),
  }),
  // How far behind its end each sink is, and since when; what anchors have of it; and all of it for whoever has scope audit:read.
  allow('ReadLog', {
    actions: ['dynamodb:GetItem', 'dynamodb:Query'],
    resources: [LOG_TABLE_ARN],
    when: onRows(own.log, own.logHead, own.logUids, own.publicLog, own.logCheckpoints, own.logExpired),
  }),
  allow('ReadSinks', {
    actions: ['dynamodb:GetItem', 'dynamodb:Query'],
    resources: [LOG_TABLE_ARN],
    when: onRows(own.sinks, own.deadLetters, own.sinkErrands),
  }),
  allow('AskSinks', {
    actions: ['dynamodb:PutItem'],
    resources: [LOG_TABLE_ARN],
    when: onRows(own.sinkErrands),
  }),
  allow('TellLookUps', {
    actions: ['dynamodb:PutItem'],
    resources: [CORE_TABLE_ARN],
    when: onRows(own.lookUps),
  }),
  neverErase,
  noDirectKms,
])
