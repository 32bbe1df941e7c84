// attest parses hostile input (design P9): it may ask mint and trust, read what evidence is judged by, and count rates.
// It holds no tenant session, so its fence is the kind of row.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { CORE_TABLE_ARN, functionArn, type Place, queueArn, requestArn } from '../names.ts'
import { functionRole, neverErase, noDirectKms, type Role } from './role.ts'
import { allow, deny, onRows } from './statement.ts'

const rows = leadingKeys('*')

export const attestRole = (place: Place): Role =>
  functionRole({
    fn: 'attest',
    place,
    says: 'Verifies evidence. Cannot sign, record, or reach the internet.',
    isIsolated: true,
    onlyInside: ['dynamodb:*', 'lambda:*', 'sqs:*'],
    statements: [
      allow('AskMintAndTrust', {
        actions: ['lambda:InvokeFunction'],
        resources: [requestArn(place, 'mint', 'issue'), functionArn(place, 'trust')],
      }),
      allow('ReadTrust', {
        actions: ['dynamodb:GetItem'],
        resources: [CORE_TABLE_ARN],
        when: onRows(rows.config, rows.issuerKeySets),
      }),
      allow('CountRates', {
        actions: ['dynamodb:UpdateItem'],
        resources: [CORE_TABLE_ARN],
        when: onRows(rows.rates),
      }),
      allow('ReportDenials', { actions: ['sqs:SendMessage'], resources: [queueArn(place, 'denials')] }),
      // A put is how a grant, a key set or a configuration would be written.
      deny('NeverRecord', { actions: ['dynamodb:PutItem'], resources: ['*'] }),
      neverErase,
      deny('NeverMint', {
        actions: ['sts:AssumeRole', 'sts:TagSession', 'sts:GetFederationToken', 'iam:*', 'secretsmanager:*'],
        resources: ['*'],
      }),
      noDirectKms,
    ],
  })
