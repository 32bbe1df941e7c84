// The highest seq of a feed, in a file (Node): what a restart must not forget. Written aside and renamed, so that it is one number or
// the other, never half of one. A file of another issuer, or one that cannot be read, stops the verifier rather than starting anew.
import { open, readFile, rename } from 'node:fs/promises'
import type { Seen } from './revocation-view.ts'

export const seenFile = (path: string, issuer: string): Seen => ({
  async read() {
    let text: string
    try {
      text = await readFile(path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
      throw error
    }
    const kept = JSON.parse(text) as { readonly issuer?: unknown; readonly seq?: unknown }
    if (kept.issuer !== issuer || !Number.isSafeInteger(kept.seq)) throw new Error('the file is not of this feed')
    return kept.seq as number
  },
  async write(seq) {
    const aside = `${path}.new`
    const file = await open(aside, 'w', 0o600)
    try {
      await file.writeFile(`${JSON.stringify({ issuer, seq })}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(aside, path)
  },
})
