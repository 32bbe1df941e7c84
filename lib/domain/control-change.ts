// What changes in the state decisions rest on, as the audit stream tells it: keys, documents, removed tenants, lifted blocks;
// and who looked a decision up or had keys moved. Pure.
import type { RevocationKind } from './revocation.ts'
import type { KeyState, KeyUse, OwnAlgorithm } from './signing-key.ts'

/** `id`: the same however often the change is delivered. */
type Change = { readonly id: string; readonly tenant: string; readonly atSeconds: number }

export type ControlChange =
  | (Change & {
      readonly what: 'key'
      readonly kid: string
      readonly alg: OwnAlgorithm
      readonly use: KeyUse
      readonly state: KeyState
    })
  | (Change & {
      readonly what: 'config'
      readonly version: number
      readonly digest: string
      readonly author: string
      readonly commit: string
      readonly diff: string
    })
  | (Change & { readonly what: 'removal'; readonly by: string })
  /** Of one key of a removed tenant, or of its feed secret: nothing that was under it can be opened any more. */
  | (Change & { readonly what: 'erasure'; readonly erased: string })
  | (Change & {
      readonly what: 'unblock'
      readonly revocation: string
      readonly kind: RevocationKind
      readonly issuer: string
      readonly value: string
      readonly by: string
      readonly reason: string
    })
  /** What a receiver of revocations answered to one SET, where that changed what is known of it. */
  | (Change & {
      readonly what: 'receiver'
      readonly receiver: string
      readonly seq: number
      readonly jti: string
      /** Null: it has it. */
      readonly problem: string | null
      readonly status: number | null
    })
  /** Records were lost: what was issued is cut, evidence from before `floor` (epoch seconds) refused, keys replaced. */
  | (Change & {
      readonly what: 'recovery'
      readonly number: number
      readonly by: string
      readonly reason: string
      readonly floor: number
    })
  /** An operator had all keys succeeded, or one of them tainted: what moved tells itself. `kid` is null of a rotation. */
  | (Change & {
      readonly what: 'key_order'
      readonly order: 'rotate' | 'taint'
      readonly kid: string | null
      readonly by: string
      readonly reason: string
    })
  | (Change & { readonly what: 'look_up'; readonly decisionId: string; readonly by: string })
