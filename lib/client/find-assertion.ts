// Finds the assertion of the platform this job runs on. The first source that is there is asked, and its failure is final:
// falling through to the next would present the runner's identity where the job's was meant.
import { LIMITS } from '../domain/limits.ts'
import { ASSERTION_SOURCES, type AssertionSource } from './assertion-sources.ts'
import { done, fail, type Outcome } from './outcome.ts'
import type { Surroundings } from './surroundings.ts'

export type FoundAssertion = { readonly assertion: string; readonly source: string }

export type AssertionWanted = {
  readonly audience: string
  /** A file named on the command line: nothing else is looked at. */
  readonly file?: string | undefined
  /** The name of a source: only that one is asked, whether it seems to be there or not. */
  readonly from?: string | undefined
}

export const SOURCE_NAMES: readonly string[] = ASSERTION_SOURCES.map(({ name }) => name)

export const findAssertion = async (
  wanted: AssertionWanted,
  around: Surroundings,
  sources: readonly AssertionSource[] = ASSERTION_SOURCES,
): Promise<Outcome<FoundAssertion>> => {
  if (wanted.file !== undefined) {
    const text = await around.readText(wanted.file)
    return text === null ? fail('usage', `cannot read ${wanted.file}`) : checkShape(text, wanted.file)
  }
  const source =
    wanted.from === undefined ? await firstThere(sources, around) : sources.find(({ name }) => name === wanted.from)
  if (source === undefined)
    return fail(
      'usage',
      `no assertion found: this is none of ${sources.map(({ name }) => name).join(', ')}. Pass --assertion FILE.`,
    )
  const text = await source.obtain(wanted.audience, around)
  return text.ok ? checkShape(text.value, source.name) : text
}

const firstThere = async (
  sources: readonly AssertionSource[],
  around: Surroundings,
): Promise<AssertionSource | undefined> => {
  for (const source of sources) if (await source.isHere(around)) return source
  return undefined
}

/** Three parts and a length: enough to tell a JWT from an error page before it is sent anywhere. The broker judges the rest. */
const checkShape = (text: string, source: string): Outcome<FoundAssertion> => {
  const assertion = text.trim()
  if (Buffer.byteLength(assertion) > LIMITS.tokenBytesMax)
    return fail('usage', `${source}: longer than ${LIMITS.tokenBytesMax} bytes, no assertion`)
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(assertion)) return fail('usage', `${source}: what it gave is not a JWT`)
  return done({ assertion, source })
}
