// trust: on a schedule, and when a key id is unknown. The only function that fetches issuers' documents, and the only writer
// of the key cache. Takes a registered source, never a URL, from its caller.
import { createTrust, type TrustPorts } from '../../lib/flows/refresh-issuer-keys.ts'
import type { Trust } from '../../lib/ports/issuer-keys.ts'

export const createHandler = (ports: TrustPorts): Trust => createTrust(ports)
