// The laws of the tenant's stores on every adapter.
import { STORES } from './stores.ts'
import { describeTenantStores } from './tenant-stores.contract.ts'

for (const [name, open] of STORES) describeTenantStores(name, open)
