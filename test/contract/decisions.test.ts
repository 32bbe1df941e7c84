// The laws of denials and look-ups on every adapter that has them.
import { describeDecisions } from './decisions.contract.ts'
import { STORES } from './stores.ts'

for (const [name, open] of STORES) describeDecisions(name, open)
