// The three ways platforms hand out assertions: a variable, a program, an HTTP endpoint. Problems say what to change and never
// quote what was read.
import { done, fail, type Outcome } from './outcome.ts'
import { printable } from './printable.ts'
import { parseSecureUrl } from './secure-url.ts'
import type { Surroundings } from './surroundings.ts'

/** The first of `names` that is set. */
export const readVariable = async (
  around: Surroundings,
  names: readonly string[],
  remedy: string,
): Promise<Outcome<string>> => {
  for (const name of names) {
    const value = around.env[name]
    if (value) return done(value)
  }
  return fail('usage', `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} not set. ${remedy}`)
}

/** What the program prints. Its complaint is passed on, cut and with anything like a token removed. */
export const runForAssertion = async (
  around: Surroundings,
  file: string,
  args: readonly string[],
  remedies: { readonly missing: string; readonly failed?: string },
): Promise<Outcome<string>> => {
  const result = await around.runProgram(file, args)
  if (result.kind === 'missing') return fail('usage', remedies.missing)
  if (result.kind === 'failed') {
    const complaint = printable(result.stderr).replace(/\.+$/, '')
    return fail(
      'refused',
      `"${file}" failed: ${complaint === '' ? 'it gave no reason' : complaint}. ${remedies.failed ?? ''}`.trim(),
    )
  }
  return done(result.stdout)
}

export type AssertionRequest = {
  /** Who is asked, in the words of a problem. */
  readonly from: string
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  /** The member of the JSON answer; absent where the body is the assertion. */
  readonly member?: string
  /** Plain http to a host that is not this one: only for a metadata server, which is sent no secret. */
  readonly isLinkLocal?: true
}

export const fetchAssertion = async (around: Surroundings, request: AssertionRequest): Promise<Outcome<string>> => {
  const url = request.isLinkLocal && URL.canParse(request.url) ? new URL(request.url) : parseSecureUrl(request.url)
  // The request token is as good as the job's identity: it is not sent where anybody could read it on the way.
  if (url === null) return fail('usage', `the URL of ${request.from} is neither https nor http to this machine`)
  for (const [name, value] of Object.entries(request.query)) url.searchParams.set(name, value)
  const answer = await around.http({ url: url.href, method: request.method, headers: request.headers })
  if (answer.kind === 'failed') return fail('unavailable', `${request.from} gave no assertion: ${answer.says}`)
  if (answer.status !== 200) {
    const isOutage = answer.status >= 500 || answer.status === 429
    return fail(isOutage ? 'unavailable' : 'refused', `${request.from} gave no assertion: HTTP ${answer.status}`)
  }
  if (request.member === undefined) return done(answer.body)
  const value = memberOf(answer.body, request.member)
  return value === null ? fail('refused', `${request.from} answered without "${request.member}"`) : done(value)
}

const memberOf = (text: string, member: string): string | null => {
  try {
    const parsed: unknown = JSON.parse(text)
    const value: unknown = typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, member) : null
    return typeof value === 'string' ? value : null
  } catch {
    return null
  }
}
