// The schedule that copies the tenants' logs into the locked bucket: DynamoDB exports its own backup, no function is in between.
import { ARCHIVE_BUCKET_ARN, LOG_TABLE_ARN, type Place, queueArn, ruleName, SERVICE_PATH } from '../names.ts'
import type { Role } from './role.ts'
import { allow, text } from './statement.ts'

export const archiveRole = (place: Place): Role => ({
  name: 'mintmark-archive',
  path: SERVICE_PATH,
  says: 'Copies the logs into the locked bucket.',
  trust: [
    allow('RunByScheduler', {
      principal: { Service: 'scheduler.amazonaws.com' },
      actions: ['sts:AssumeRole'],
      when: {
        StringEquals: { 'aws:SourceAccount': text('${AWS::AccountId}') },
        ArnLike: {
          'aws:SourceArn': text(
            `arn:\${AWS::Partition}:scheduler:\${AWS::Region}:\${AWS::AccountId}:schedule/*/${ruleName(place, 'archive')}`,
          ),
        },
      },
    }),
  ],
  statements: [
    allow('ExportLogs', { actions: ['dynamodb:ExportTableToPointInTime'], resources: [LOG_TABLE_ARN] }),
    allow('PutExport', {
      actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
      resources: [`${ARCHIVE_BUCKET_ARN}/logs/*`],
    }),
    allow('KeepWhatFailed', { actions: ['sqs:SendMessage'], resources: [queueArn(place, 'archive-dlq')] }),
  ],
})
