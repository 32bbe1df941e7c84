// The message that wakes push: a tenant whose receivers are owed something. It says nothing else, so that it may come late, twice
// or from anybody who may send at all. Pure.
import * as z from 'zod/mini'
import { tenantNameSchema } from './decision-schemas.ts'
import type { ReadMessage } from './queue-body.ts'

const wakeSchema = z.strictObject({ v: z.literal(1), tenant: tenantNameSchema })

export const writeWake = (tenant: string): string => JSON.stringify({ v: 1, tenant })

export const readWake = (body: string): ReadMessage<{ readonly tenant: string }> => {
  try {
    const read = wakeSchema.safeParse(JSON.parse(body))
    if (read.success) return { ok: true, message: { tenant: read.data.tenant } }
  } catch {
    // No JSON is no wake either.
  }
  return { ok: false, reason: 'not_a_wake' }
}
