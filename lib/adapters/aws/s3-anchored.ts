// What the locked bucket has of one tenant's log: every checkpoint that was ever put there, as it is. A part of it is never taken for all.
import { setTimeout as sleep } from 'node:timers/promises'
import { anchoredPrefix } from '../../domain/archive-bucket.ts'
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { S3Listed, S3Objects, S3Page } from './s3-objects.ts'

export type Anchored = { readonly bucket: string; readonly objects: Pick<S3Objects, 'get' | 'list'> }

/** Notes, the smallest size first. Throws Unavailable where one of them cannot be read. */
export const readAnchored = async ({ bucket, objects }: Anchored, tenant: string): Promise<readonly string[]> => {
  const prefix = anchoredPrefix(tenant)
  const noteAt = async (key: string) => (await persist(() => objects.get({ bucket, key }))).body
  const notes: string[] = []
  for (let after: string | null = null; ; ) {
    const listed: S3Listed = { bucket, prefix, after }
    const { keys, next }: S3Page = await persist(() => objects.list(listed))
    for (let at = 0; at < keys.length; at += LIMITS.anchorReadsAtOnce)
      notes.push(...(await Promise.all(keys.slice(at, at + LIMITS.anchorReadsAtOnce).map(noteAt))))
    if (next === null) return notes
    after = next
  }
}

/** A year of a busy log is half a million requests: S3 says `SlowDown` to some. */
const persist = async <Answer extends { readonly status: number }>(ask: () => Promise<Answer>): Promise<Answer> => {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask().catch(() => null)
    if (answer?.status === 200) return answer
    const isRefused = answer !== null && answer.status < 500
    if (isRefused || tries === LIMITS.anchorReadTriesMax) throw new Unavailable('cloud_unavailable')
    await sleep(LIMITS.anchorReadBackoffMs * 2 ** tries)
  }
}
