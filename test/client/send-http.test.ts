// One bounded try and the tries after it, against a real server; the waiting with a clock passed in.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { type HttpAnswer, parseRetryAfter, sendOnce, sendWithRetries } from '../../lib/client/send-http.ts'

const withServer = async (listener: RequestListener, use: (url: string) => Promise<void>): Promise<void> => {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('a server that never ends its answer fails at the deadline, body included', () =>
  withServer(
    (_, response) => void response.writeHead(200).write('{'),
    async (url) => {
      expect(await sendOnce({ url, method: 'GET' }, 200)).toEqual({ kind: 'failed', says: 'no answer within 0.2 s' })
    },
  ))

test('an answer longer than 64 KiB is not read to its end', () =>
  withServer(
    (_, response) => void response.writeHead(200).end('x'.repeat(70_000)),
    async (url) =>
      expect(await sendOnce({ url, method: 'GET' })).toEqual({ kind: 'failed', says: 'the answer is too long' }),
  ))

test('a refused connection is told by its code, without the URL', async () => {
  let closed = ''
  await withServer(
    () => {},
    async (url) => {
      closed = url
    },
  )
  expect(await sendOnce({ url: `${closed}?secret=1`, method: 'GET' })).toEqual({ kind: 'failed', says: 'ECONNREFUSED' })
})

const tries = async (answers: readonly HttpAnswer[], random = 0.5, tryMs = 0) => {
  const waits: number[] = []
  let sent = 0
  let nowMs = 0
  const timing = {
    nowMs: () => nowMs,
    random: () => random,
    sleep: async (ms: number) => {
      waits.push(ms)
      nowMs += ms
    },
  }
  const last = await sendWithRetries({ url: 'https://x.example', method: 'GET' }, timing, async () => {
    nowMs += tryMs
    return answers[Math.min(sent++, answers.length - 1)] as HttpAnswer
  })
  return { sent, waits, last }
}
const failed: HttpAnswer = { kind: 'failed', says: 'ECONNRESET' }
const status = (code: number, retryAfterSeconds: number | null = null): HttpAnswer => ({
  kind: 'answered',
  status: code,
  retryAfterSeconds,
  body: '',
})

test('at most four tries, each wait a random part of a doubling time', async () => {
  expect(await tries([failed])).toMatchObject({ sent: 4, waits: [500, 1_000, 2_000], last: failed })
})

test.each([200, 400, 401, 404, 500, 502])('%i is an answer, not a reason to try again', async (code) => {
  expect((await tries([status(code)])).sent).toBe(1)
})

test('Retry-After is honoured with a random second on top', async () => {
  expect((await tries([status(429, 3), status(200)])).waits).toEqual([3_500])
})

test('no try begins after 28 s: a repeat of a lost answer would be a replay', async () => {
  expect((await tries([failed], 0.5, 10_000)).sent).toBe(3)
  expect((await tries([status(503, 28)])).sent).toBe(1)
})

test('Retry-After in seconds, as a date, or neither', () => {
  const nowMs = Date.parse('Tue, 24 Nov 2026 16:00:00 GMT')
  expect(parseRetryAfter('7', nowMs)).toBe(7)
  expect(parseRetryAfter('Tue, 24 Nov 2026 16:00:09 GMT', nowMs)).toBe(9)
  for (const value of [null, '', '-1', '1.5', 'soon', '99999999999']) expect(parseRetryAfter(value, nowMs)).toBeNull()
})
