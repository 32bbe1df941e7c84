// revoke: POST /t/{tenant}/receivers/{name}/poll. It signs SETs, and so belongs to the owner of the signal key.
import { endpoint } from '../../lib/edge/endpoint.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { pollEndpoint } from '../../lib/edge/poll-endpoint.ts'
import { createPoll, type PollPorts } from '../../lib/flows/revocation/poll-revocations.ts'

type Wiring = { readonly ports: PollPorts; readonly log: Parameters<typeof endpoint>[2] }

export const createPollHandler = ({ ports, log }: Wiring): HttpHandler =>
  endpoint('revoke', pollEndpoint({ poll: createPoll(ports), newTraceId: ports.ids.traceId }), log)
