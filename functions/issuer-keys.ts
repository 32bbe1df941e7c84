// Keys of issuers as attest and mint see them: rows that trust wrote, cached, and read again when they may have changed. A
// Lambda has no timer between requests, so the host asks before a request, at most once in some seconds.
import { importVerifyKey } from '../lib/adapters/jose/evidence-signature.ts'
import { systemClock } from '../lib/adapters/system/clock.ts'
import { createIssuerKeys, type IssuerKeysPorts, type RefreshedIssuerKeys } from '../lib/flows/issuers/issuer-keys.ts'

type Ports = Pick<IssuerKeysPorts, 'store' | 'trust'>

export const createKeysOfIssuers = (ports: Ports): RefreshedIssuerKeys =>
  createIssuerKeys({ ...ports, clock: systemClock, importKey: (jwk) => importVerifyKey(jwk), jitter: Math.random })

/** trust refetches every few minutes: a withdrawn key is gone from here a minute after its row changed. */
const REREAD_MS = 60_000

export const rereadNowAndThen = (keys: Pick<RefreshedIssuerKeys, 'rereadAll'>): (() => Promise<void>) => {
  let rereadAtMs = systemClock.monotonicMs()
  return async () => {
    if (systemClock.monotonicMs() - rereadAtMs < REREAD_MS) return
    rereadAtMs = systemClock.monotonicMs()
    await keys.rereadAll()
  }
}
