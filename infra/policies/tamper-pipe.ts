// The pipe that watches the stream for grant records that were changed or removed. It reads the stream and tells the bus.
import { busArn, CORE_STREAM_ARN, type Place, pipeArn, queueArn, SERVICE_PATH } from '../names.ts'
import type { Role } from './role.ts'
import { allow, text } from './statement.ts'

export const tamperPipeRole = (place: Place): Role => ({
  name: 'mintmark-tamper-pipe',
  path: SERVICE_PATH,
  says: 'Reads the stream of records for what should never be.',
  trust: [
    allow('RunByPipes', {
      principal: { Service: 'pipes.amazonaws.com' },
      actions: ['sts:AssumeRole'],
      when: {
        StringEquals: { 'aws:SourceAccount': text('${AWS::AccountId}') },
        ArnEquals: { 'aws:SourceArn': text(pipeArn(place)) },
      },
    }),
  ],
  statements: [
    allow('PollStream', {
      actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'],
      resources: [CORE_STREAM_ARN],
    }),
    allow('TellBus', { actions: ['events:PutEvents'], resources: [busArn(place)] }),
    allow('KeepWhatFailed', { actions: ['sqs:SendMessage'], resources: [queueArn(place, 'tamper-dlq')] }),
  ],
})
