// An anchor that is a C2SP tlog-witness: signs a checkpoint only if the log has grown from the one it signed last, and remembers.
// Of what it answers only a signature that verifies is kept.
import { LIMITS } from '../../domain/limits.ts'
import { cosignatureOf, type WitnessKey, withCosignatures } from '../../domain/tlog/cosignature.ts'
import { encodeBase64, unverifiedText, type VerifyEd25519 } from '../../domain/tlog/signed-note.ts'
import type { Anchor, AnchorAnswer, AnchoredCheckpoint } from '../../ports/anchors.ts'
import type { OutboundHttp } from '../../ports/outbound-http.ts'

type WitnessPorts = { readonly http: OutboundHttp; readonly verify: VerifyEd25519 }

/** `url`: what `add-checkpoint` is below. */
export const createWitness = (
  { url, key }: { readonly url: string; readonly key: WitnessKey },
  { http, verify }: WitnessPorts,
): Anchor => ({
  name: url,
  async add({ note, seenSize, proof }: AnchoredCheckpoint): Promise<AnchorAnswer> {
    const lines = proof.map((hash) => `${encodeBase64(hash)}\n`).join('')
    const result = await http.post(
      `${url.replace(/\/+$/, '')}/add-checkpoint`,
      { contentType: 'text/plain; charset=utf-8', text: `old ${seenSize}\n${lines}\n${note}` },
      { expect: 'any', statuses: [200, 409], bodyBytesMax: LIMITS.witnessAnswerBytesMax, totalMs: LIMITS.sinkCallMs },
    )
    if (!result.ok) return refusal(result.failure.status)
    const answer = Buffer.from(result.response.body).toString('utf8')
    if (result.response.status === 409) {
      const digits = /^(0|[1-9][0-9]{0,15})\n$/.exec(answer)?.[1]
      return digits === undefined ? { kind: 'not_kept' } : conflict(Number(digits), seenSize)
    }
    const cosignature = cosignatureOf(key, { note, answer, verify })
    return cosignature === null
      ? { kind: 'not_kept' }
      : { kind: 'kept', note: withCosignatures(note, [`${unverifiedText(note)}\n${cosignature}`]) }
  },
})

const refusal = (status: number | null): AnchorAnswer => {
  if (status === null) return { kind: 'unreachable' }
  // The proof is right by construction: who refuses it has seen another log.
  return { kind: status === 422 ? 'disagrees' : 'not_kept' }
}

/** A size it was told itself: the roots of that size differ. */
const conflict = (size: number, seenSize: number): AnchorAnswer =>
  size === seenSize ? { kind: 'disagrees' } : { kind: 'known', size }
