// The laws of spent proofs (lib/ports/proof-guards.ts), for every adapter. `open`: two processes over one memory.
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { ProofGuards } from '../../lib/ports/proof-guards.ts'
import { NOW_SECONDS } from './sample-rows.ts'

export const describeProofGuards = (
  adapter: string,
  open: () => Promise<readonly [ProofGuards, ProofGuards]>,
): void => {
  test(`${adapter}: of many who spend a proof at once one is told that it was good, and of other tenants each`, async () => {
    const guards = await open()
    const guard = (hash: string) => ({ hash, keepUntilSeconds: NOW_SECONDS + 150 })
    const [proof, another] = [randomUUID(), randomUUID()]
    const all = await Promise.all(
      Array.from({ length: 40 }, (_, at) => guards[at % 2]!.spend(at < 30 ? 'acme' : 'globex', guard(proof))),
    )
    expect(all.slice(0, 30).filter(Boolean)).toHaveLength(1)
    expect(all.slice(30).filter(Boolean)).toHaveLength(1)
    expect(await guards[0].spend('acme', guard(another))).toBe(true)
    expect(await guards[1].spend('acme', guard(another))).toBe(false)
  })
}
