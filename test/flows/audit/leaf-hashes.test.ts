// An event that is sealed for the log, and the same one read back: one pair of hashes.
import { describe, expect, test } from 'vitest'
import { nodeSha256 } from '../../../lib/adapters/keys/log-signer.ts'
import { sha256Hex } from '../../../lib/adapters/system/digest.ts'
import { eventsOf } from '../../../lib/domain/ocsf/map-entry.ts'
import { unsignedEvent } from '../../../lib/domain/ocsf/record-integrity.ts'
import { commitmentOf, hashesOfLeaf, sealLeaf } from '../../../lib/flows/audit/leaf-hashes.ts'
import { SAMPLE_PLACE, SAMPLE_RECORD } from '../../support/audit-entries.ts'

const hashes = { sha256: nodeSha256, sha256Hex }
const salt = new Uint8Array(32).fill(7)

describe('hashes of a leaf', () => {
  test.each([
    ['one byte a character', 'plain'],
    ['more bytes than characters, of which a place in the text is none in the bytes', 'späť → 😀'],
  ])('of %s: what is sealed is what is found again, or no log could be verified', (_, sub) => {
    const record = { ...SAMPLE_RECORD, evidence: { ...SAMPLE_RECORD.evidence, sub } }
    for (const event of eventsOf({ kind: 'grant', record }, SAMPLE_PLACE, () => null)) {
      const named = { uid: event.metadata.uid, typeUid: event.type_uid }
      const at = { sequence: 3, chain: 'sts.example.com/t/acme/log', authority: SAMPLE_PLACE.issuerUrl, before: null }
      const unsigned = unsignedEvent(event, at)
      const { canonical, link, commitment } = sealLeaf(hashes, salt, unsigned, named)
      expect(link).toEqual({ ...named, fingerprint: sha256Hex(unsigned.text) })
      expect(commitment).toEqual(commitmentOf(nodeSha256, salt, canonical))
      const found = hashesOfLeaf(hashes, salt, canonical)
      expect([found.commitment, found.fingerprint?.value]).toEqual([commitment, link.fingerprint])
    }
  })
})
