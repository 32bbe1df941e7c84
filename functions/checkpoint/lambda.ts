// The AWS entry of checkpoint.
import { dynamoClient, dynamoLike, kmsClient, stsClient } from '../../lib/adapters/aws/clients.ts'
import { createS3Objects } from '../../lib/adapters/aws/s3-objects.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { CHECKPOINT_ENVIRONMENT, createCheckpoint } from './compose.ts'

const place = readAwsPlace()
const dynamo = dynamoClient(place)

export const handler = createCheckpoint(readEnvironment(CHECKPOINT_ENVIRONMENT), {
  dynamo,
  dynamoAs: dynamoLike(dynamo, place),
  kmsAs: (credentials) => kmsClient({ ...place, credentials }),
  s3As: (credentials) => createS3Objects({ ...place, credentials }),
  sts: stsClient(place),
})
