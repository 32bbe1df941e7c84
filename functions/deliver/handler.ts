// deliver: on a schedule. Brings the tenants' logs to their sinks, as far as it gets in its time; the next run goes on from there.
import { type DeliverForAWhilePorts, deliverForAWhile } from '../../lib/flows/audit/deliver-for-a-while.ts'

export const createHandler = (ports: DeliverForAWhilePorts) => (): Promise<void> => deliverForAWhile(ports)
