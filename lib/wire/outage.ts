// An outage as the answer of an invocation, so that its kind and the time to wait survive the way back. Pure.
import * as z from 'zod/mini'
import { REFUSALS, type RefusalKind } from '../domain/refusal.ts'
import type { Unavailable } from '../domain/unavailable.ts'

const OUTAGES = (Object.keys(REFUSALS) as RefusalKind[]).filter((kind) => REFUSALS[kind].answer === 'unavailable')

export const outageSchema = z.strictObject({
  unavailable: z.enum(OUTAGES as [RefusalKind, ...RefusalKind[]]),
  retryAfterSeconds: z.int().check(z.positive(), z.maximum(600)),
})

export const outageOf = ({ kind, retryAfterSeconds }: Unavailable) => ({ unavailable: kind, retryAfterSeconds })
