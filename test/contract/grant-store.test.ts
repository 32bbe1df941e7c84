// The record store's laws on every adapter.
import { describeGrantStore } from './grant-store.contract.ts'
import { STORES } from './stores.ts'

for (const [name, open] of STORES) describeGrantStore(name, open)
