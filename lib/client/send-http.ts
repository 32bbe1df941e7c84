// HTTP as a job needs it: one bounded try, and a few tries of the very same request with full jitter. Never follows a redirect
// (the assertion would go along), reads at most 64 KiB, gives up within the window in which a repeat is not a replay.
import { LIMITS } from '../domain/limits.ts'

export type HttpRequest = {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** The DPoP header, anew for each try: a proof is good once. */
  readonly prove?: () => string
}

export type HttpAnswer =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly retryAfterSeconds: number | null
      readonly body: string
    }
  /** No whole answer: refused, timed out, broken off, too long. The server may have acted all the same. */
  | { readonly kind: 'failed'; readonly says: string }

export type SendHttp = (request: HttpRequest) => Promise<HttpAnswer>

export type Timing = {
  readonly nowMs: () => number
  readonly sleep: (ms: number) => Promise<void>
  /** In [0, 1). */
  readonly random: () => number
}

/** One try, from connecting to the last byte of the answer within `timeoutMs`. */
export const sendOnce = async (
  request: HttpRequest,
  timeoutMs: number = LIMITS.clientTimeoutMs,
): Promise<HttpAnswer> => {
  try {
    const response = await fetch(request.url, {
      method: request.method,
      headers: { ...request.headers, ...(request.prove === undefined ? {} : { dpop: request.prove() }) },
      ...(request.body === undefined ? {} : { body: request.body }),
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const body = await readBody(response)
    if (body === null) return { kind: 'failed', says: 'the answer is too long' }
    return {
      kind: 'answered',
      status: response.status,
      retryAfterSeconds: parseRetryAfter(response.headers.get('retry-after'), Date.now()),
      body,
    }
  } catch (error) {
    return { kind: 'failed', says: describeFailure(error, timeoutMs) }
  }
}

/**
 * The same request until it is answered with anything but 429 or 503, at most 4 tries, all begun within 28 s. Waits what
 * Retry-After says, else a random part of a doubling time. Returns the last answer.
 */
export const sendWithRetries = async (
  request: HttpRequest,
  timing: Timing,
  send: SendHttp = sendOnce,
): Promise<HttpAnswer> => {
  const startMs = timing.nowMs()
  for (let tries = 1; ; tries += 1) {
    const answer = await send(request)
    if (!isRetryable(answer) || tries === LIMITS.clientTriesMax) return answer
    const waitMs = retryDelayMs(answer, tries, timing.random())
    if (timing.nowMs() - startMs + waitMs > LIMITS.clientRetryWindowMs) return answer
    await timing.sleep(waitMs)
  }
}

const isRetryable = (answer: HttpAnswer): boolean =>
  answer.kind === 'failed' || answer.status === 429 || answer.status === 503

/** Full jitter; after a Retry-After a random second on top, or all who were sent away come back at once. */
const retryDelayMs = (answer: HttpAnswer, tries: number, random: number): number => {
  const asked = answer.kind === 'answered' ? answer.retryAfterSeconds : null
  if (asked !== null) return asked * 1_000 + random * LIMITS.clientBackoffBaseMs
  return random * Math.min(LIMITS.clientBackoffMaxMs, LIMITS.clientBackoffBaseMs * 2 ** (tries - 1))
}

/** Seconds to wait, from delta-seconds or an HTTP date (RFC 9110 §10.2.3). Null where there is none or it makes no sense. */
export const parseRetryAfter = (value: string | null, nowMs: number): number | null => {
  if (value === null) return null
  if (/^\d{1,9}$/.test(value)) return Number(value)
  const atMs = /^[A-Z][a-z]{2}, /.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(atMs) ? null : Math.max(0, Math.ceil((atMs - nowMs) / 1_000))
}

const readBody = async (response: Response): Promise<string | null> => {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > LIMITS.clientAnswerBytesMax) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** A code where there is one, never the message: messages of fetch can hold the URL. */
const describeFailure = (error: unknown, timeoutMs: number): string => {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1_000} s`
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const code = cause instanceof Error && 'code' in cause ? cause.code : null
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'the connection failed'
}
