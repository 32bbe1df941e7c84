// The guarded client as pushes to receivers use it: any port and any query, of a public address.
import { RECEIVER_URLS } from '../../domain/egress.ts'
import type { OutboundHttp } from '../../ports/outbound-http.ts'
import { createGuardedHttp, type GuardedHttpOptions } from './guarded-http.ts'

export const createReceiverHttp = (options: Omit<GuardedHttpOptions, keyof typeof RECEIVER_URLS>): OutboundHttp =>
  createGuardedHttp({ ...options, ...RECEIVER_URLS })
