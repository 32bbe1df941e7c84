// introspect says what a token is, now, and takes it back for its holder: by an order, since all it writes is
// that a proof of possession was shown.
import type { Place } from '../names.ts'
import { callerRole, readTokens, spendProofs } from './callers.ts'
import { dataRole, neverErase, noDirectKms, type Role } from './role.ts'
import { deny } from './statement.ts'

export const introspectRole = (place: Place): Role =>
  callerRole('introspect', place, 'Says what a token is, and orders that it be revoked.')

export const introspectDataRole: Role = dataRole('introspect', 'One tenant: reads what says whether a token is good.', [
  readTokens,
  spendProofs,
  deny('NeverChange', { actions: ['dynamodb:UpdateItem'], resources: ['*'] }),
  neverErase,
  noDirectKms,
])
