// The events function over the embedded store, and who judges its orders again when revoke carries them out.
import { createHandler } from '../../functions/events/handler.ts'
import { createSecretFiles } from '../../lib/adapters/files/secret-files.ts'
import { importVerifyKey, nodeSignatureVerifier } from '../../lib/adapters/jose/evidence-signature.ts'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { createDecisionLookup } from '../../lib/adapters/sqlite/decision-lookup.ts'
import { createSecurityEvents } from '../../lib/adapters/sqlite/security-events.ts'
import { createSigningKeyStore } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { createAlarm } from '../../lib/edge/alarm.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import type { createLogger } from '../../lib/edge/logger.ts'
import { createEventProofs, type EventProofPorts } from '../../lib/flows/check-event-proof.ts'
import type { IssuerKeys } from '../../lib/ports/evidence.ts'
import type { Queue } from '../../lib/ports/queue.ts'
import type { OrderProofs } from '../../lib/ports/revocation-orders.ts'

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
    readonly admit: (source: string) => Promise<number | null>
    readonly log: ReturnType<typeof createLogger>
  },
): HttpHandler => {
  const { database, queue, log, admit } = options
  return createHandler({
    ports: {
      ...portsOf(options),
      queue,
      events: createSecurityEvents(database),
      alarm: createAlarm('events', log),
    },
    http: { admit },
    log,
  })
}
