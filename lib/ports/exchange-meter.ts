// Who counts exchanges. For monitoring: what it is told is no record of anything.
import type { GrantType } from '../domain/token-request.ts'
import type { ProviderName } from '../domain/wid.ts'
import type { IssuedCredential } from './mint.ts'

export interface ExchangeMeter {
  /** Returns at once and never throws; nothing waits for it. */
  issued(tenant: string, provider: ProviderName, grantType: GrantType, credential: IssuedCredential): void
}
