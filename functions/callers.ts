// What every function has that is called with a tenant's own tokens: the tenants, who believes the token, and where refusals go.
import type { SQSClient } from '@aws-sdk/client-sqs'
import { createProofGuards } from '../lib/adapters/aws/dynamo-proof-guards.ts'
import type { Table } from '../lib/adapters/aws/dynamo-request.ts'
import { createTenantConfigStore } from '../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createSqsDenials } from '../lib/adapters/aws/sqs-denials.ts'
import { createMemoryRateLimiter } from '../lib/adapters/memory/rate-limiter.ts'
import { systemClock as clock } from '../lib/adapters/system/clock.ts'
import { createIds } from '../lib/adapters/system/ids.ts'
import { createAlarm } from '../lib/edge/alarm.ts'
import type { createLogger } from '../lib/edge/logger.ts'
import { settleDenials } from '../lib/edge/settle-denials.ts'
import type { CallerPorts } from '../lib/flows/authorize-caller.ts'
import type { DecisionLookup } from '../lib/ports/decisions.ts'
import { openOwnTokens } from './own-tokens.ts'
import { createTenants } from './tenants.ts'

type Options = {
  readonly name: string
  readonly table: Table
  readonly sqs: SQSClient
  readonly baseUrl: string
  readonly denialsQueue: string
  readonly log: ReturnType<typeof createLogger>
  readonly decisions?: DecisionLookup
}

export const openCallers = ({ name, table, sqs, baseUrl, denialsQueue, log, decisions }: Options) => {
  const ids = createIds(clock)
  const denials = createSqsDenials({ client: sqs, queueUrl: denialsQueue }, ids.decisionId)
  const configs = createTenantConfigStore(table)
  const ports: CallerPorts = {
    ...openOwnTokens(table, decisions),
    tenants: createTenants({ configs, baseUrl, log }),
    denials,
    // Of this instance alone, which has one request at a time: over all of them the WAF counts, and allows a source less.
    rates: createMemoryRateLimiter(clock),
    ids,
    clock,
    guards: createProofGuards(table),
  }
  return { configs, ports, settle: settleDenials(denials, createAlarm(name, log)) }
}
