// feed: invoked by discovery for a page of the revocation feed, by push and poll for SETs, and by rotate to activate a signal key.
// The half of revoke that is asked: it alone opens keys of use `signal`, and it takes no orders, so whoever may ask it can have nothing revoked.
import { byAlias, invocation } from '../../lib/edge/invocation.ts'
import { type ActivationPorts, activateNamedKey } from '../../lib/flows/keys/activate-key.ts'
import type { Feed } from '../../lib/flows/revocation/publish-feed.ts'
import { type NamedSetPorts, signNamedSets } from '../../lib/flows/revocation/sign-set.ts'
import { readActivateRequest, writeActivateReply } from '../../lib/wire/activate-invocation.ts'
import { readFeedRequest, writeFeedReply } from '../../lib/wire/feed-invocation.ts'
import { readSetsRequest, writeSetsReply } from '../../lib/wire/sets-invocation.ts'

type Wiring = {
  /** Asked for with each request: what must be read before the first may not be had at once. */
  readonly open: () => Promise<Feed>
  readonly signing: NamedSetPorts
  readonly activation: ActivationPorts
  readonly log: Parameters<typeof invocation>[0]['log']
}

export const createHandler = ({ open, signing, activation, log }: Wiring) => {
  const page = invocation({
    name: 'feed',
    read: readFeedRequest,
    handle: async ({ tenant, since }) => (await open())(tenant, since),
    reply: writeFeedReply,
    log,
  })
  const sets = invocation({
    name: 'feed',
    read: readSetsRequest,
    handle: (named) => signNamedSets(signing, named),
    reply: writeSetsReply,
    log,
  })
  const activate = invocation({
    name: 'feed',
    read: readActivateRequest,
    handle: (named) => activateNamedKey(activation, named),
    reply: writeActivateReply,
    log,
  })
  return byAlias('feed', { page, sets, activate }, log)
}
