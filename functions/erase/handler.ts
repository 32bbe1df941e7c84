// erase: on a schedule. Drops what tenants no longer keep of their logs, and erases removed tenants when their time has come. It takes
// nothing from anybody, and nothing else on AWS deletes of a log.
import { type ExpirePorts, expireEvents } from '../../lib/flows/audit/expire-events.ts'
import { type ErasePorts, type Erasure, eraseTenants } from '../../lib/flows/tenants/erase-tenants.ts'

type Log = { info(message: string, fields: Record<string, unknown>): void }
type Erased = {
  readonly erased: readonly Erasure[]
  readonly expired: Awaited<ReturnType<typeof expireEvents>>
}

/** `open` is asked with each run: what must be read before the first may not be had at once. */
export const createHandler = (open: () => Promise<ErasePorts & ExpirePorts>, log: Log) => async (): Promise<Erased> => {
  const ports = await open()
  const erased = await eraseTenants(ports)
  for (const { tenant, isComplete } of erased) if (isComplete) log.info('a removed tenant was erased', { tenant })
  const expired = await expireEvents(ports)
  for (const each of expired) log.info('events of a log have expired', each)
  return { erased, expired }
}
