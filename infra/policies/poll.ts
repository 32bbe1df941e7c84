// poll gives receivers that ask what they are owed, and takes their word for what they have. It has no key, no way out, and
// nothing to do with tokens but to see whether one is good.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { type Place, queueArn, requestArn } from '../names.ts'
import { spendProofs } from './callers.ts'
import { moveReceivers, readOwed } from './push.ts'
import { dataRole, functionRole, neverErase, noDirectKms, type Role, tenantSessionsOnly } from './role.ts'
import { allow, deny, SESSION_TENANT } from './statement.ts'

const own = leadingKeys(SESSION_TENANT)

export const pollRole = (place: Place): Role =>
  functionRole({
    fn: 'poll',
    place,
    says: 'Hands signed events to receivers that ask. Has no key.',
    isIsolated: true,
    onlyInside: ['sts:AssumeRole', 'sts:TagSession', 'lambda:*', 'sqs:*'],
    statements: [
      ...tenantSessionsOnly('poll'),
      allow('AskForSets', { actions: ['lambda:InvokeFunction'], resources: [requestArn(place, 'feed', 'sets')] }),
      allow('ReportDenials', { actions: ['sqs:SendMessage'], resources: [queueArn(place, 'denials')] }),
      deny('NeverAct', { actions: ['kms:*', 'iam:*', 'secretsmanager:*', 'dynamodb:*'], resources: ['*'] }),
    ],
  })

export const pollDataRole: Role = dataRole('poll', 'One tenant: reads what its receivers are owed, and moves them.', [
  // Whether the caller's token is good is read from these as well.
  readOwed(own.grants, own.decisions, own.revocationVersion, own.signingKeys),
  moveReceivers,
  spendProofs,
  neverErase,
  noDirectKms,
])
