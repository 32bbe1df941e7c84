// events: what is reported over HTTP (a SET of RFC 8935, a webhook of GitHub) is authenticated and becomes an order on the
// queue. It is accepted only after that is durable.
import { LIMITS } from '../../domain/limits.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import type { TenantDirectory } from '../../ports/tenants.ts'
import { type TakePorts, takeEvent } from './take-event.ts'
import { type GithubPorts, type SignedBody, verifyGithubAlert } from './verify-github-alert.ts'
import { type LeakPorts, type PartnerMessage, reportOfLeak, tokensReported } from './verify-leak.ts'
import { type SetPorts, sourceOfSet, verifySet } from './verify-set.ts'

export type ReceivePorts = SetPorts &
  GithubPorts &
  LeakPorts &
  TakePorts & { readonly tenants: Pick<TenantDirectory, 'current'> }

export type Pushed = {
  readonly tenant: string
  readonly set: string
  /** The header Authorization, where there is one. */
  readonly authorization: string | undefined
}

export type Received =
  | { readonly kind: 'unknown_tenant' }
  | { readonly kind: 'accepted' }
  /** `source`: which of the tenant's sources it claims to be from, or null. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly source: string | null }

/** Throws Unavailable, and then the SET may or may not be taken: the transmitter sends it again. */
export const receiveSet = async (ports: ReceivePorts, { tenant, set, authorization }: Pushed): Promise<Received> => {
  const config = await ports.tenants.current(tenant)
  if (config === null) return { kind: 'unknown_tenant' }
  const claimed = sourceOfSet(config, set)
  if (!claimed.ok) return { kind: 'refused', refusal: claimed.refusal, source: null }
  const { source } = claimed.value
  const no = (refusal: Refusal): Received => ({ kind: 'refused', refusal, source: source.name })
  // Before a key is looked for: what is behind the header costs whoever does not know it nothing.
  if (source.authorization !== null && !(await ports.secrets.matches(source.authorization, authorization ?? '')))
    return no(refuse('transmitter_unauthenticated').refusal)
  const verified = await verifySet(ports, config, claimed.value, whenOf(ports))
  if (!verified.ok) return no(verified.refusal)
  const taken = await takeEvent(ports, verified.value)
  return taken.ok ? { kind: 'accepted' } : no(taken.refusal)
}

/** Throws Unavailable; GitHub does not send again by itself, an operator can redeliver. */
export const receiveGithubAlert = async (
  ports: ReceivePorts,
  { tenant, ...signed }: SignedBody & { readonly tenant: string },
): Promise<Received> => {
  const config = await ports.tenants.current(tenant)
  if (config === null) return { kind: 'unknown_tenant' }
  const verified = await verifyGithubAlert(ports, config, signed, whenOf(ports))
  if (!verified.ok) return { kind: 'refused', refusal: verified.refusal, source: null }
  const taken = await takeEvent(ports, verified.value)
  return taken.ok ? { kind: 'accepted' } : { kind: 'refused', refusal: taken.refusal, source: verified.value.source }
}

/** Each token is an event of its own. Throws Unavailable, and then GitHub sends the message again. */
export const receiveLeaks = async (
  ports: ReceivePorts,
  { tenant, ...message }: PartnerMessage & { readonly tenant: string },
): Promise<Received> => {
  const config = await ports.tenants.current(tenant)
  if (config === null) return { kind: 'unknown_tenant' }
  const reported = await tokensReported(ports, config, message)
  if (!reported.ok) return { kind: 'refused', refusal: reported.refusal, source: null }
  const { source, tokens } = reported.value
  for (const token of tokens) {
    const report = await reportOfLeak(ports, config, source, token, ports.clock.nowSeconds())
    const taken = await takeEvent(ports, report)
    if (!taken.ok) return { kind: 'refused', refusal: taken.refusal, source: source.name }
  }
  return { kind: 'accepted' }
}

const whenOf = ({ clock }: Pick<ReceivePorts, 'clock'>) => ({
  nowSeconds: clock.nowSeconds(),
  maxAgeSeconds: LIMITS.eventAgeSecondsMax,
})
