// What runs by the clock. Two edges can fail, from the rule to Lambda and from Lambda to the function: each ends in the same
// dead-letter queue.
import { SCHEDULED } from '../lib/wire/lambda-events.ts'
import { type FunctionName, type Place, ruleName } from './names.ts'
import { text } from './policies/statement.ts'
import { deadLetterId } from './queues.ts'

type Scheduled = Extract<FunctionName, 'trust' | 'rotate' | 'push' | 'audit' | 'checkpoint' | 'deliver' | 'erase'>

/**
 * Key sets are fetched at least every 10 minutes (design §2); keys move by the hour, and a check costs little. Push looks for wakes that
 * were lost; what was appended is signed and anchored each minute, and waits for its sinks no longer. Logs are compared with records by
 * the hour, and a run that has no time left goes on with the next. Days are what is kept, and an hour more is nothing.
 */
const EVERY: Readonly<Record<Scheduled, string>> = {
  trust: 'rate(5 minutes)',
  rotate: 'rate(5 minutes)',
  push: 'rate(1 minute)',
  audit: 'rate(10 minutes)',
  checkpoint: 'rate(1 minute)',
  deliver: 'rate(1 minute)',
  erase: 'rate(1 hour)',
}

const functionId = (fn: Scheduled): string => `${fn.charAt(0).toUpperCase()}${fn.slice(1)}LambdaFunction`

const schedule = (place: Place, fn: Scheduled) => {
  const name = `${fn.charAt(0).toUpperCase()}${fn.slice(1)}Schedule`
  return {
    [name]: {
      Type: 'AWS::Events::Rule',
      Properties: {
        Name: ruleName(place, fn),
        ScheduleExpression: EVERY[fn],
        State: 'ENABLED',
        Targets: [
          {
            Id: fn,
            Arn: { 'Fn::GetAtt': [functionId(fn), 'Arn'] },
            Input: JSON.stringify(SCHEDULED),
            // The next run does what this one did not: nothing is worth retrying for longer.
            RetryPolicy: { MaximumEventAgeInSeconds: 300, MaximumRetryAttempts: 2 },
            DeadLetterConfig: { Arn: { 'Fn::GetAtt': [deadLetterId(`${fn}-dlq`), 'Arn'] } },
          },
        ],
      },
    },
    [`${name}Permission`]: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        FunctionName: { Ref: functionId(fn) },
        Action: 'lambda:InvokeFunction',
        Principal: 'events.amazonaws.com',
        SourceArn: { 'Fn::GetAtt': [name, 'Arn'] },
        SourceAccount: text('${AWS::AccountId}'),
      },
    },
  }
}

export const scheduleResources = (place: Place) => ({
  ...schedule(place, 'trust'),
  ...schedule(place, 'rotate'),
  ...schedule(place, 'push'),
  ...schedule(place, 'audit'),
  ...schedule(place, 'checkpoint'),
  ...schedule(place, 'deliver'),
  ...schedule(place, 'erase'),
})
