// The events function over the embedded store, and who judges its orders again when revoke carries them out.
import { createHandler } from '../../functions/events/handler.ts'
import { createSecretFiles } from '../../lib/adapters/files/secret-files.ts'
import { importVerifyKey, nodeSignatureVerifier } from '../../lib/adapters/jose/evidence-signature.ts'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { createDecisionLookup } from '../../lib/adapters/sqlite/decision-lookup.ts'
import { createSecurityEvents } from '../../lib/adapters/sqlite/security-events.ts'
import { createSigningKeyStore } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { type BrokerCounts, countSecurityEvent } from '../../lib/domain/broker-counts.ts'
import { createAlarm } from '../../lib/edge/alarm.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import type { createLogger } from '../../lib/edge/logger.ts'
import { createEventProofs, type EventProofPorts } from '../../lib/flows/revocation/check-event-proof.ts'
import type { IssuerKeys } from '../../lib/ports/evidence.ts'
import type { Queue } from '../../lib/ports/queue.ts'
import type { OrderProofs } from '../../lib/ports/revocation-orders.ts'
import type { SecurityEvents } from '../../lib/ports/security-events.ts'

type EventsOptions = Pick<EventProofPorts, 'configs' | 'tenants' | 'clock' | 'ids'> & {
  readonly database: Database
  readonly secretsDir: string
  readonly dataDir: string
  readonly issuerKeys: IssuerKeys
}

const portsOf = ({ database, secretsDir, dataDir, ...ports }: EventsOptions): EventProofPorts => ({
  ...ports,
  secrets: createSecretFiles({ secretsDir, dataDir }),
  signatures: nodeSignatureVerifier,
  digest: nodeDigest,
  ownKeys: createSigningKeyStore(database),
  importKey: importVerifyKey,
  decisions: createDecisionLookup(database),
})

export const embeddedEventProofs = (options: EventsOptions): OrderProofs => createEventProofs(portsOf(options))

export const embeddedEvents = (
  options: EventsOptions & {
    readonly queue: Queue
    readonly admit: (source: string) => Promise<number | null> | number | null
    readonly counts: BrokerCounts | undefined
    readonly log: ReturnType<typeof createLogger>
  },
): HttpHandler => {
  const { database, queue, log, admit, counts } = options
  const events = createSecurityEvents(database)
  return createHandler({
    ports: {
      ...portsOf(options),
      queue,
      events: counts === undefined ? events : countedEvents(events, counts),
      alarm: createAlarm('events', log),
    },
    http: { admit },
    log,
  })
}

const countedEvents = (events: SecurityEvents, counts: BrokerCounts): SecurityEvents => ({
  ...events,
  async put(event) {
    await events.put(event)
    countSecurityEvent(counts, event)
  },
})
