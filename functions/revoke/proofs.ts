// Who judges an order on AWS, by the kind of its proof: an operator and a finding by whom the queue says sent them, everything
// else by what it carries, from own reads of the tenant's rows and of the keys that trust wrote.
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { createIssuerKeyStore } from '../../lib/adapters/aws/dynamo-issuer-key-store.ts'
import type { Table } from '../../lib/adapters/aws/dynamo-request.ts'
import { createManagedSecrets } from '../../lib/adapters/aws/secrets-manager.ts'
import { createSenderProofs, isSessionOf } from '../../lib/adapters/aws/sender-proofs.ts'
import { importVerifyKey, nodeSignatureVerifier } from '../../lib/adapters/jose/evidence-signature.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import { storedKeysOnly } from '../../lib/flows/issuers/issuer-keys.ts'
import { createEventProofs, createFindingProofs, proofsByKind } from '../../lib/flows/revocation/check-event-proof.ts'
import { createTokenProofs } from '../../lib/flows/revocation/check-token-proof.ts'
import { createReplayProofs } from '../../lib/flows/revocation/follow-replays.ts'
import type { OwnTokenPorts } from '../../lib/flows/verify-own-token.ts'
import type { DecisionLookup } from '../../lib/ports/decisions.ts'
import type { OrderProofs } from '../../lib/ports/revocation-orders.ts'
import type { TenantConfigStore, TenantDirectory } from '../../lib/ports/tenants.ts'
import { readAwsEvent } from '../../lib/wire/aws-events.ts'
import { createKeysOfIssuers } from '../issuer-keys.ts'

type Options = {
  readonly ownTokens: OwnTokenPorts
  /** Every decision, denials among them. */
  readonly decisions: DecisionLookup
  readonly tenants: TenantDirectory
  readonly configs: TenantConfigStore
  /** Rows that are no tenant's. */
  readonly shared: Table
  readonly secretsOf: (tenant: string) => Promise<SecretsManagerClient>
  /** Ids of the roles whose sessions may order, and of the role of events. */
  readonly senders: { readonly operators: readonly string[]; readonly events: string }
}

export const awsOrderProofs = ({
  ownTokens,
  decisions,
  tenants,
  configs,
  shared,
  secretsOf,
  senders,
}: Options): OrderProofs => {
  const common = {
    tenants,
    configs,
    decisions: ownTokens.records,
    digest: ownTokens.digest,
    clock,
    ids: createIds(clock),
  }
  const events = createEventProofs({
    ...common,
    issuerKeys: createKeysOfIssuers({ store: createIssuerKeyStore(shared), trust: storedKeysOnly }),
    signatures: nodeSignatureVerifier,
    secrets: createManagedSecrets(secretsOf),
    ownKeys: ownTokens.keys,
    importKey: importVerifyKey,
  })
  return proofsByKind({
    sender: createSenderProofs(senders.operators),
    token: createTokenProofs({ ...ownTokens, tenants, clock }),
    replay: createReplayProofs({ decisions, tenants }),
    set: events,
    github: events,
    leak: events,
    finding: createFindingProofs({
      ...common,
      readEvent: readAwsEvent,
      isEvents: (sender) => isSessionOf([senders.events], sender),
    }),
  })
}
