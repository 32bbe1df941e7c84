// `mintmark audit tail --follow` on a log that comes and goes.
import { expect, test } from 'vitest'
import { CannotOpen, type ReadableLog } from '../../bin/audit/open-log.ts'
import { tail } from '../../bin/audit/read.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import type { StoredLeaf } from '../../lib/ports/tenant-log.ts'
import { captureIo } from '../support/io.ts'

const leaf = (index: number): StoredLeaf => ({ index, salt: new Uint8Array(), canonical: `{"at":${index}}` })

/** Each answer once, in turn; behind the last one whoever follows is told to stop. */
const following = (answers: readonly (readonly StoredLeaf[] | Error)[]) => {
  const stopping = new AbortController()
  const asked: number[] = []
  const leaves = async (_: string, fromIndex: number): Promise<readonly StoredLeaf[]> => {
    const answer = answers[asked.length] ?? []
    asked.push(fromIndex)
    if (asked.length >= answers.length) stopping.abort()
    if (answer instanceof Error) throw answer
    return answer
  }
  const log = { about: async () => ({ origin: 'sts.example.com/t/acme/log', size: 2 }), leaves }
  const open = async () => ({ tenant: 'acme', log, close: () => undefined }) as unknown as ReadableLog
  return { open, asked, signal: stopping.signal }
}

test('an outage is waited out and told once, and what came meanwhile is shown in order', async () => {
  const outages = [new CannotOpen('HTTP 503', 'unavailable'), new Unavailable('store_unavailable')]
  const { open, asked, signal } = following([[leaf(0), leaf(1)], [], ...outages, [leaf(2)], []])
  const io = captureIo()
  expect(await tail(open, { count: 20, isFollowing: true, signal }, true, io)).toBe(0)
  expect(io.out()).toBe('{"at":0}\n{"at":1}\n{"at":2}\n')
  expect(asked).toEqual([0, 2, 2, 2, 2, 3])
  expect(io.err()).toBe('mintmark audit tail: the log cannot be read now; trying again\n')
})

test('what waiting does not mend ends it, and so does an outage where nobody follows', async () => {
  const refused = following([[leaf(0)], [], new CannotOpen('HTTP 401', 'refused')])
  await expect(tail(refused.open, { count: 1, isFollowing: true }, true, captureIo())).rejects.toThrow('HTTP 401')
  const down = following([new CannotOpen('HTTP 503', 'unavailable')])
  await expect(tail(down.open, { count: 1, isFollowing: false }, true, captureIo())).rejects.toThrow('HTTP 503')
})
