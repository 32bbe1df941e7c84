// An anchor that is a bucket under Object Lock in compliance mode: what is put there stays for its time, whoever holds the account.
// One object a checkpoint, by tenant and size, put only where none is; one that is there already is read back and compared.
import { anchoredKey } from '../../domain/archive-bucket.ts'
import { unverifiedText } from '../../domain/tlog/signed-note.ts'
import type { Anchor, AnchorAnswer } from '../../ports/anchors.ts'
import type { S3Answer, S3Objects } from './s3-objects.ts'

export type S3AnchorOptions = {
  readonly bucket: string
  /** With the rights of that tenant's session. */
  readonly objectsOf: (tenant: string) => Promise<S3Objects>
}

export const createS3Anchor = ({ bucket, objectsOf }: S3AnchorOptions): Anchor => ({
  name: `s3://${bucket}/checkpoints`,
  async add({ tenant, size, note }) {
    const object = { bucket, key: anchoredKey(tenant, size) }
    try {
      const objects = await objectsOf(tenant)
      const put = await objects.putNew(object, note)
      if (put.status === 200) return { kind: 'kept', note }
      if (put.status !== THERE) return unkept(put)
      // It may be ours, of a run whose answer was lost. The same root under another signature is the same checkpoint: keys change.
      const found = await objects.get(object)
      if (found.status !== 200) return unkept(found)
      const isSame = unverifiedText(found.body) === unverifiedText(note)
      return isSame ? { kind: 'kept', note: found.body } : { kind: 'disagrees' }
    } catch {
      return { kind: 'unreachable' }
    }
  },
})

const THERE = 412

const unkept = ({ status }: S3Answer): AnchorAnswer => ({ kind: status >= 500 ? 'unreachable' : 'not_kept' })
