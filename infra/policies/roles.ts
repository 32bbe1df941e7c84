// Every role, by its logical id in the template.
import type { Place } from '../names.ts'
import { adminDataRole, adminRole } from './admin.ts'
import { archiveRole } from './archive.ts'
import { attestRole } from './attest.ts'
import { auditDataRole, auditRole } from './audit.ts'
import { checkpointDataRole, checkpointRole } from './checkpoint.ts'
import { deliverDataRole, deliverRole } from './deliver.ts'
import { discoveryDataRole, discoveryRole } from './discovery.ts'
import { eraseDataRole, eraseRole } from './erase.ts'
import { eventsDataRole, eventsRole } from './events.ts'
import { feedDataRole, feedRole } from './feed.ts'
import { introspectDataRole, introspectRole } from './introspect.ts'
import { mintDataRole, mintRole } from './mint.ts'
import { applyRole, operatorRole } from './people.ts'
import { pollDataRole, pollRole } from './poll.ts'
import { provisionerRole } from './provisioner.ts'
import { pushDataRole, pushRole } from './push.ts'
import { revokeDataRole, revokeRole } from './revoke.ts'
import { type Role, roleResource } from './role.ts'
import { rotateDataRole, rotateRole } from './rotate.ts'
import type { Text } from './statement.ts'
import { trustRole } from './trust.ts'

export type RoleOptions = {
  readonly place: Place
  /** ARN of the key that wraps tenants' keys. */
  readonly poolKey: Text
  /** ARN patterns of who may take mintmark-apply and mintmark-operator. */
  readonly applyPrincipals: readonly string[]
  readonly operatorPrincipals: readonly string[]
}

export const roles = ({ place, poolKey, applyPrincipals, operatorPrincipals }: RoleOptions): Record<string, Role> => ({
  AttestRole: attestRole(place),
  MintRole: mintRole(place),
  TrustRole: trustRole(place),
  RevokeRole: revokeRole(place),
  FeedRole: feedRole(place),
  AuditRole: auditRole(place),
  CheckpointRole: checkpointRole(place),
  DeliverRole: deliverRole(place),
  EraseRole: eraseRole(place),
  EventsRole: eventsRole(place),
  IntrospectRole: introspectRole(place),
  AdminRole: adminRole(place),
  DiscoveryRole: discoveryRole(place),
  RotateRole: rotateRole(place),
  PushRole: pushRole(place),
  PollRole: pollRole(place),
  DataMintRole: mintDataRole(poolKey),
  DataRevokeRole: revokeDataRole,
  DataFeedRole: feedDataRole(poolKey),
  DataAuditRole: auditDataRole,
  DataCheckpointRole: checkpointDataRole(poolKey),
  DataDeliverRole: deliverDataRole,
  DataEraseRole: eraseDataRole,
  DataEventsRole: eventsDataRole,
  DataIntrospectRole: introspectDataRole,
  DataAdminRole: adminDataRole,
  DataDiscoveryRole: discoveryDataRole,
  DataRotateRole: rotateDataRole(poolKey),
  DataPushRole: pushDataRole,
  DataPollRole: pollDataRole,
  ApplyRole: applyRole(place, applyPrincipals),
  OperatorRole: operatorRole(place, operatorPrincipals),
  ProvisionerRole: provisionerRole,
  ArchiveRole: archiveRole(place),
})

export const roleResources = (options: RoleOptions) =>
  Object.fromEntries(Object.entries(roles(options)).map(([id, role]) => [id, roleResource(role)]))
