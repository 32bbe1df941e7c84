// poll: POST /t/{tenant}/receivers/{name}/poll. It hands out SETs that whoever owns the signal key signed.
import { endpoint } from '../../lib/edge/endpoint.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { ofKnownTenant } from '../../lib/edge/known-tenant.ts'
import { pollEndpoint } from '../../lib/edge/poll-endpoint.ts'
import { createPoll, type PollPorts } from '../../lib/flows/revocation/poll-revocations.ts'
import type { WaitForChange } from '../../lib/flows/revocation/wait-for-change.ts'

type Wiring = {
  readonly ports: PollPorts
  /** Left out: every poll is answered at once. */
  readonly waitForChange?: WaitForChange
  readonly log: Parameters<typeof endpoint>[2]
  /** What must be durable before the answer goes out: where nothing runs on after it, the denial of this request. */
  readonly settle?: () => Promise<void>
}

export const createHandler = ({ ports, waitForChange, log, settle }: Wiring): HttpHandler =>
  endpoint(
    'poll',
    ofKnownTenant(
      ports.tenants,
      pollEndpoint({ poll: createPoll(ports, waitForChange), newTraceId: ports.ids.traceId }),
    ),
    log,
    settle,
  )
