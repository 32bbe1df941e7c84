// What functions wait for AWS, and for each other there. In a test all of them, AWS and DynamoDB Local share a machine, which may be
// slow: how long is too long says the test that waits. Of this process, which serves one file (vitest.aws.config.ts).
import { LIMITS } from '../../../lib/domain/limits.ts'
import { COMES_WITHIN_MS } from '../until.ts'

const WAITS = [
  ...(['dynamoConnectMs', 'dynamoRequestMs', 'storeWaitMs', 'rateWaitMs', 'queueSendMs', 'anchorCallMs'] as const),
  ...(['kmsCallMs', 'stsConnectMs', 'stsCallMs', 'iamCallMs', 'secretCallMs'] as const),
  ...(['mintInvokeMs', 'trustInvokeMs', 'feedInvokeMs', 'sinkSignMs'] as const),
]

export const waitLonger = (): void => {
  for (const name of WAITS) Object.assign(LIMITS, { [name]: Math.max(LIMITS[name], COMES_WITHIN_MS / 3) })
}
