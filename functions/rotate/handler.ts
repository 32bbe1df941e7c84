// rotate: on a schedule. Moves the keys of all tenants on; mint proves the new ones.
import { type RotatedTenants, type RotateTenantsPorts, rotateTenants } from '../../lib/flows/rotate-tenants.ts'

export const createHandler = (ports: RotateTenantsPorts) => (): Promise<RotatedTenants> => rotateTenants(ports)
