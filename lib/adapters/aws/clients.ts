// SDK clients as the functions make them, once each. Every attempt has a deadline and the number of attempts is chosen for who
// waits; credentials and place are given, so that no client looks for them in files, processes or metadata services.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { IAMClient } from '@aws-sdk/client-iam'
import { KMSClient } from '@aws-sdk/client-kms'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SQSClient } from '@aws-sdk/client-sqs'
import { STSClient } from '@aws-sdk/client-sts'
import { LIMITS } from '../../domain/limits.ts'
import { createDynamoClient } from './dynamo-request.ts'

/** Where, as whom, and of an emulator the endpoint. */
export type ClientPlace = {
  readonly region: string
  readonly credentials: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken: string
  }
  readonly endpoint?: string
}

const deadlines = (requestMs: number) => ({
  connectionTimeout: LIMITS.dynamoConnectMs,
  requestTimeout: requestMs,
  throwOnRequestTimeout: true,
})

export const dynamoClient = (place: ClientPlace): DynamoDBClient => createDynamoClient({ ...place, maxAttempts: 2 })

/** Sessions of one tenant have credentials of their own and the connections of their function. */
export const dynamoLike =
  (own: DynamoDBClient, place: ClientPlace) =>
  (credentials: ClientPlace['credentials']): DynamoDBClient =>
    createDynamoClient({ ...place, credentials, maxAttempts: 2, requestHandler: own.config.requestHandler })

export const kmsClient = (place: ClientPlace): KMSClient =>
  new KMSClient({ ...place, maxAttempts: 2, requestHandler: deadlines(LIMITS.kmsCallMs) })

export const stsClient = (place: ClientPlace): STSClient =>
  new STSClient({ ...place, maxAttempts: 2, requestHandler: deadlines(LIMITS.stsCallMs) })

export const iamClient = (place: ClientPlace): IAMClient =>
  new IAMClient({ ...place, maxAttempts: 2, requestHandler: deadlines(LIMITS.iamCallMs) })

export const secretsClient = (place: ClientPlace): SecretsManagerClient =>
  new SecretsManagerClient({ ...place, maxAttempts: 2, requestHandler: deadlines(LIMITS.secretCallMs) })

export const sqsClient = (place: ClientPlace): SQSClient =>
  new SQSClient({ ...place, maxAttempts: 2, requestHandler: deadlines(LIMITS.queueSendMs) })

/** One attempt: lib/adapters/aws/lambda-invoke.ts says why. */
export const lambdaClient = (place: ClientPlace): LambdaClient =>
  new LambdaClient({ ...place, maxAttempts: 1, requestHandler: deadlines(LIMITS.trustInvokeMs) })
