// What `mintmark revoke` asks for and what becomes of it, here or from afar.
import type { OrderRefusal, RevocationOrder } from '../lib/domain/revocation-order.ts'
import type { Asked as DraftAsked } from '../lib/flows/revocation/draft-order.ts'
import type { Preview } from '../lib/flows/revocation/preview-revocation.ts'

export type Asked = Omit<DraftAsked, 'proof'>

/** The proof is not for show. */
type Order = Omit<RevocationOrder, 'proof'>

export type Outcome =
  | { readonly kind: 'refused'; readonly refusal: OrderRefusal }
  | { readonly kind: 'accepted'; readonly order: Order }
  | { readonly kind: 'dry_run'; readonly order: Order; readonly hits: Preview }
  | {
      readonly kind: 'in_force'
      readonly order: Order
      readonly revocations: readonly string[]
      /** Absent on AWS, where records lie by what they redeemed and not by when, and from afar: a dry run tells. */
      readonly hits?: Preview
    }
