// feed: invoked by discovery for a page of the revocation feed, and by rotate to activate a signal key. The half of revoke that
// is asked: it alone opens keys of use `signal`, and it takes no orders, so whoever may ask it can have nothing revoked.
import { invocation } from '../../lib/edge/invocation.ts'
import { type ActivationPorts, activateNamedKey } from '../../lib/flows/keys/activate-key.ts'
import type { Feed } from '../../lib/flows/revocation/publish-feed.ts'
import { readActivateRequest, writeActivateReply } from '../../lib/wire/activate-invocation.ts'
import { readFeedRequest, writeFeedReply } from '../../lib/wire/feed-invocation.ts'

type Wiring = {
  /** Asked for with each request: what must be read before the first may not be had at once. */
  readonly open: () => Promise<Feed>
  readonly activation: ActivationPorts
  readonly log: Parameters<typeof invocation>[0]['log']
}

export const createHandler = ({ open, activation, log }: Wiring) => {
  const page = invocation({
    name: 'feed',
    read: readFeedRequest,
    handle: async ({ tenant, since }) => (await open())(tenant, since),
    reply: writeFeedReply,
    log,
  })
  const activate = invocation({
    name: 'feed',
    read: readActivateRequest,
    handle: (named) => activateNamedKey(activation, named),
    reply: writeActivateReply,
    log,
  })
  return (payload: unknown): Promise<unknown> => (readActivateRequest(payload) === null ? page : activate)(payload)
}
