// When evidence that was redeemed may be redeemed again (design §3, Idempotency and Replay): the same request repeated with
// its key after a lost response, or the holder of the DPoP key the first redemption pinned. Anything else is a replay.
import type { GrantRecord } from '../domain/grant-record.ts'
import { LIMITS } from '../domain/limits.ts'
import type { Attested } from './attest-evidence.ts'
import type { Proof } from './check-proof.ts'
import type { Intent } from './prepare-credential.ts'

/** The first redemption, as the store answers a put for the same evidence. */
export type Existing = { readonly existing: GrantRecord; readonly notIssued: boolean }

/** The same Idempotency-Key, the same request and the same DPoP key, soon after, and the first one was issued. */
export const isRepeat = ({ record }: Intent, { existing, notIssued }: Existing, nowSeconds: number): boolean =>
  record.idempotency !== null &&
  existing.idempotency !== null &&
  !notIssued &&
  record.idempotency.keyHash === existing.idempotency.keyHash &&
  record.idempotency.requestHash === existing.idempotency.requestHash &&
  record.credential.jkt === existing.credential.jkt &&
  nowSeconds - existing.atSeconds <= LIMITS.idempotencyWindowSeconds

/** Replay mode `proof`: evidence is worthless without the key the first redemption pinned, so its holder may come back. */
export const isSameHolder = ({ facts }: Attested, first: GrantRecord, proof: Proof | null): boolean =>
  facts.issuer.replay === 'proof' && proof !== null && first.credential.jkt === proof.thumbprint
