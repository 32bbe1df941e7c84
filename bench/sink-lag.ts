// How old events are when a reader of a jsonl sink sees them: the id of a grant's event is a UUIDv7, which says when it was decided.
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 50
const ID = /"id":"([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[0-9a-f-]{17}"/g

/** Of what is decided from now on. `stop`: the ages, in milliseconds. */
export const followSink = (path: string) => {
  const sinceMs = Date.now()
  const ages: number[] = []
  const chunk = Buffer.alloc(1 << 20)
  let isOver = false
  let at = 0
  let rest = ''
  const look = (): void => {
    if (!existsSync(path)) return
    const file = openSync(path, 'r')
    const nowMs = Date.now()
    for (let read = readSync(file, chunk, 0, chunk.length, at); read > 0; ) {
      at += read
      const text = rest + chunk.toString('latin1', 0, read)
      const end = text.lastIndexOf('\n') + 1
      rest = text.slice(end)
      for (const [, high = '', low = ''] of text.slice(0, end).matchAll(ID)) {
        const decidedMs = Number.parseInt(high + low, 16)
        if (decidedMs >= sinceMs) ages.push(nowMs - decidedMs)
      }
      read = readSync(file, chunk, 0, chunk.length, at)
    }
    closeSync(file)
  }
  const run = async () => {
    while (!isOver) {
      look()
      await sleep(POLL_MS)
    }
    look()
  }
  const running = run()
  return {
    async stop(): Promise<readonly number[]> {
      isOver = true
      await running
      return ages
    },
  }
}
