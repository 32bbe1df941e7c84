// What believes a token of ours, over a tenant's rows: whoever is called with one, and whoever carries out what was ordered
// with one.
import { createRecordLookup } from '../lib/adapters/aws/dynamo-records.ts'
import type { Table } from '../lib/adapters/aws/dynamo-request.ts'
import { createSigningKeyStore } from '../lib/adapters/aws/dynamo-signing-key-store.ts'
import { createTenantState } from '../lib/adapters/aws/dynamo-tenant-state.ts'
import { createProofVerifier } from '../lib/adapters/jose/evidence-signature.ts'
import { createOwnSignatures } from '../lib/adapters/jose/own-signature.ts'
import { nodeDigest } from '../lib/adapters/system/digest.ts'
import type { OwnTokenPorts } from '../lib/flows/verify-own-token.ts'
import type { DecisionLookup } from '../lib/ports/decisions.ts'

/** `denials`: where decisions are found that have no record. */
export const openOwnTokens = (table: Table, denials?: DecisionLookup): OwnTokenPorts => ({
  keys: createSigningKeyStore(table),
  signatures: createOwnSignatures(),
  proofs: createProofVerifier(nodeDigest),
  records: createRecordLookup(table, denials),
  state: createTenantState(table),
  digest: nodeDigest,
})
