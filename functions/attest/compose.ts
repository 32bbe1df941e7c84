// attest on AWS: which adapter stands behind which port. Its clients can ask mint and trust, read what evidence is judged by,
// count, and report denials; there is none for keys or sessions.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { LambdaClient } from '@aws-sdk/client-lambda'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { createIssuerKeyStore } from '../../lib/adapters/aws/dynamo-issuer-key-store.ts'
import { createRateCounters, rateTable } from '../../lib/adapters/aws/dynamo-rate-counters.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createLambdaMint } from '../../lib/adapters/aws/lambda-mint.ts'
import { createLambdaTrust } from '../../lib/adapters/aws/lambda-trust.ts'
import { createSqsDenials } from '../../lib/adapters/aws/sqs-denials.ts'
import { nodeSignatureVerifier } from '../../lib/adapters/jose/evidence-signature.ts'
import { createFairTurns } from '../../lib/adapters/memory/fair-turns.ts'
import { nodeDecodeBase64url } from '../../lib/adapters/system/base64url.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createAlarm } from '../../lib/edge/alarm.ts'
import { createEmfMetrics } from '../../lib/edge/emf-metrics.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { settleDenials } from '../../lib/edge/settle-denials.ts'
import { isThere, type SourceLimit } from '../../lib/edge/token-endpoint.ts'
import { admitSource } from '../../lib/flows/admit-source.ts'
import { refuseUnread } from '../../lib/flows/exchange-token.ts'
import { createSourceOwners } from '../../lib/flows/issuers/source-owners.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { createKeysOfIssuers, rereadNowAndThen } from '../issuer-keys.ts'
import { createTenants } from '../tenants.ts'
import { createHandler } from './handler.ts'

export const ATTEST_ENVIRONMENT = [
  'MINTMARK_BASE_URL',
  'MINTMARK_CORE_TABLE',
  'MINTMARK_MINT_FUNCTION',
  'MINTMARK_TRUST_FUNCTION',
  'MINTMARK_DENIALS_QUEUE',
] as const

export type AttestClients = {
  readonly dynamo: DynamoDBClient
  readonly lambda: LambdaClient
  readonly sqs: SQSClient
}

export const createAttest = (
  environment: Environment<(typeof ATTEST_ENVIRONMENT)[number]>,
  { dynamo, lambda, sqs }: AttestClients,
): HttpHandler => {
  const log = createLogger('attest')
  const alarm = createAlarm('attest', log)
  const ids = createIds(clock)
  const table = tableOf(environment.MINTMARK_CORE_TABLE, dynamo)
  const owners = createSourceOwners()
  const tenants = createTenants({
    configs: createTenantConfigStore(table),
    baseUrl: environment.MINTMARK_BASE_URL,
    log,
    learn: owners.learn,
  })
  const metrics = createEmfMetrics({ functionName: 'attest', log, nowMs: clock.nowMs })
  metrics.meter.knowTenants(tenants.peek)
  const trust = { client: lambda, functionName: environment.MINTMARK_TRUST_FUNCTION }
  const issuerKeys = createKeysOfIssuers({
    store: createIssuerKeyStore(table),
    trust: createLambdaTrust(trust, owners.of),
  })
  const rates = createRateCounters({
    table: rateTable(environment.MINTMARK_CORE_TABLE, dynamo),
    clock,
    onFailure: () => log.error('rates could not be counted', {}),
  })
  const denials = createSqsDenials({ client: sqs, queueUrl: environment.MINTMARK_DENIALS_QUEUE }, ids.decisionId)
  const counted = metrics.meter.countDenials(denials)
  const sourceLimit: SourceLimit = {
    admit: admitSource(rates),
    isTenant: isThere(tenants),
    refuseUnread: (request, kind, seconds) => refuseUnread({ denials: counted, ids, clock }, request, kind, seconds),
    newTraceId: ids.traceId,
  }
  const handler = createHandler({
    ports: {
      issuerKeys,
      signatures: nodeSignatureVerifier,
      digest: nodeDigest,
      decodeBase64url: nodeDecodeBase64url,
      providers: PROVIDER_CATALOG,
      tenants,
      mint: createLambdaMint({ client: lambda, functionName: environment.MINTMARK_MINT_FUNCTION }),
      denials: counted,
      rates,
      ids,
      clock,
      turns: createFairTurns(clock),
      meter: metrics.meter,
    },
    http: { sourceLimit, baseUrl: environment.MINTMARK_BASE_URL, newTraceId: ids.traceId },
    log,
    settle: settleDenials(denials, alarm),
  })
  const reread = rereadNowAndThen(issuerKeys)
  return metrics.counted(async (event) => {
    await reread()
    return handler(event)
  })
}
