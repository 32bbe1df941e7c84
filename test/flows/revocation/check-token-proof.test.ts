// Orders that are under way together and carry one token: it is judged once, and what it may order is judged for each of them.
import { expect, test } from 'vitest'
import { createProofVerifier } from '../../../lib/adapters/jose/evidence-signature.ts'
import { createOwnSignatures } from '../../../lib/adapters/jose/own-signature.ts'
import { nodeDigest } from '../../../lib/adapters/system/digest.ts'
import { createTokenProofs } from '../../../lib/flows/revocation/check-token-proof.ts'
import { sampleOrder } from '../../contract/sample-rows.ts'
import { memoryMint } from '../../security/memory-mint.ts'
import { issuerKey } from '../../support/evidence.ts'

test('a thousand orders of one token do not read its record a thousand times, and none passes on the right of another', async () => {
  const { mint, request, assertion, grants, own, ports, tenants, clock } = await memoryMint(issuerKey('RS256'))
  const minted = await mint(request(assertion()))
  if (!minted.ok) throw new Error('mint refused')
  const [record] = await grants.records()
  let reads = 0
  const proofs = createTokenProofs({
    keys: own.store,
    signatures: createOwnSignatures(),
    proofs: createProofVerifier(nodeDigest),
    records: {
      async find() {
        reads += 1
        return { kind: 'allow', record: record!, notIssued: null }
      },
    },
    state: ports.state,
    digest: nodeDigest,
    tenants,
    clock,
  })
  const token = minted.credential.accessToken
  const jti = record!.credential.jti
  const order = (kind: 'credential' | 'run', value: string, proof = token) =>
    sampleOrder({
      selectors: [{ kind, issuer: kind === 'run' ? 'github' : '', value }],
      orderedAtSeconds: clock.nowSeconds(),
      proof: { kind: 'token', token: proof },
    })
  const forged = `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(86)}`
  const [held, ...others] = await Promise.all([
    proofs.verify(order('credential', jti), null),
    proofs.verify(order('run', '1'), null),
    proofs.verify(order('credential', jti, forged), null),
    ...Array.from({ length: 100 }, () => proofs.verify(order('run', '2'), null)),
  ])
  expect(held).toContain(jti)
  expect(new Set(others)).toEqual(new Set([null]))
  // Once for whose token it is, once for whether the first order names that token alone.
  expect(reads).toBe(2)
})
