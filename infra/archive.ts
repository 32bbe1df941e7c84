// A copy of the tenants' logs that nobody can take back: DynamoDB exports the log table every week into a bucket under
// Object Lock in compliance mode, where not even the account's root shortens the time.

import { LOG_KEY } from './keys.ts'
import { ARCHIVE_BUCKET, LOG_TABLE_ARN, type Place, ruleName } from './names.ts'
import { text } from './policies/statement.ts'
import { archivePolicy } from './policies/storage.ts'

/** PCI DSS 10.5.1 asks for a year; a month more, because an export is a week apart. */
const LOCK_DAYS = 396

const exportInput = JSON.stringify({
  TableArn: LOG_TABLE_ARN,
  S3Bucket: ARCHIVE_BUCKET,
  S3Prefix: 'logs',
  S3SseAlgorithm: 'KMS',
  ExportFormat: 'DYNAMODB_JSON',
})

export const archiveResources = (place: Place) => ({
  ArchiveBucket: {
    Type: 'AWS::S3::Bucket',
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      BucketName: text(ARCHIVE_BUCKET),
      ObjectLockEnabled: true,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: LOCK_DAYS } },
      },
      VersioningConfiguration: { Status: 'Enabled' },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: LOG_KEY },
          },
        ],
      },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    },
  },
  ArchiveBucketPolicy: {
    Type: 'AWS::S3::BucketPolicy',
    Properties: { Bucket: { Ref: 'ArchiveBucket' }, PolicyDocument: archivePolicy },
  },
  ArchiveSchedule: {
    Type: 'AWS::Scheduler::Schedule',
    Properties: {
      Name: ruleName(place, 'archive'),
      ScheduleExpression: 'rate(7 days)',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 60 },
      Target: {
        Arn: text('arn:${AWS::Partition}:scheduler:::aws-sdk:dynamodb:exportTableToPointInTime'),
        RoleArn: { 'Fn::GetAtt': ['ArchiveRole', 'Arn'] },
        Input: text(exportInput),
        RetryPolicy: { MaximumEventAgeInSeconds: 24 * 3600, MaximumRetryAttempts: 10 },
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['ArchiveDlq', 'Arn'] } },
      },
    },
  },
})
