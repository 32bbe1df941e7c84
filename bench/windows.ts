// Sandwiched windows: floor, target, floor, target … in one run (performance.md §8.1). A target's ratio is its rate over
// the mean of its two neighbours, which cancels a shared machine's drift; absolute rates do not survive it.
import type { LoadGenerator, LoadResult } from './load.ts'
import type { BodySupply } from './presign.ts'
import { cpuSeconds } from './start-server.ts'

const CONNECTIONS = 32

/** `fresh`: every body once (a replay-guarded target), else round and round. `path` is the token endpoint. */
export type Target = {
  readonly name: string
  readonly url: string
  readonly pid: number
  readonly fresh: boolean
  readonly suffix: string
}

export type Window = LoadResult & {
  readonly perSecond: number
  readonly serverShare: number | null
  readonly cpuMicros: number | null
}

export type TargetReport = {
  readonly name: string
  readonly ratio: Spread
  readonly cpuCost: Spread | null
  readonly perSecond: Spread
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMicros: number | null
  readonly serverShare: number | null
  readonly generatorShare: number
  readonly failures: Readonly<Record<string, number>>
  readonly windows: number
}

export type Spread = { readonly p10: number; readonly median: number; readonly p90: number }

const at = (values: readonly number[], q: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.round((sorted.length - 1) * q)] ?? Number.NaN
}

export const median = (values: readonly number[]): number => at(values, 0.5)

export const spread = (values: readonly number[]): Spread => ({
  p10: at(values, 0.1),
  median: at(values, 0.5),
  p90: at(values, 0.9),
})

const SHARED_BODIES = 2_000
/** Above what one core exchanges in a second: no window runs out of them. */
const FRESH_PER_SECOND = 10_000

export const oneWindow = async (
  generator: LoadGenerator,
  target: Target,
  bodies: BodySupply,
  seconds: number,
): Promise<Window> => {
  const stretch = target.fresh
    ? await bodies.fresh(Math.ceil(FRESH_PER_SECOND * seconds))
    : await bodies.shared(SHARED_BODIES)
  const { url, suffix } = target
  const before = cpuSeconds(target.pid)
  const result = await generator.run({
    ...stretch,
    url,
    suffix,
    wrap: !target.fresh,
    connections: CONNECTIONS,
    seconds,
  })
  const after = cpuSeconds(target.pid)
  if (target.fresh) bodies.used(result.used)
  const cpu = before === null || after === null ? null : after - before
  return {
    ...result,
    perSecond: result.answered / result.seconds,
    serverShare: cpu === null ? null : cpu / result.seconds,
    cpuMicros: cpu === null || result.answered === 0 ? null : (cpu / result.answered) * 1e6,
  }
}

type Pair = { readonly window: Window; readonly ratio: number; readonly cpuCost: number | null }

const pair = (window: Window, before: Window, after: Window): Pair => {
  const floorCpu =
    before.cpuMicros === null || after.cpuMicros === null ? null : (before.cpuMicros + after.cpuMicros) / 2
  return {
    window,
    ratio: window.perSecond / ((before.perSecond + after.perSecond) / 2),
    cpuCost: window.cpuMicros === null || floorCpu === null ? null : window.cpuMicros / floorCpu,
  }
}

const present = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null)

const medianOrNull = (values: readonly (number | null)[]): number | null =>
  present(values).length === 0 ? null : median(present(values))

export const summarize = (name: string, pairs: readonly Pair[]): TargetReport => {
  const windows = pairs.map((each) => each.window)
  const failures: Record<string, number> = {}
  for (const window of windows)
    for (const [why, count] of Object.entries(window.failures)) failures[why] = (failures[why] ?? 0) + count
  const costs = present(pairs.map((each) => each.cpuCost))
  return {
    name,
    ratio: spread(pairs.map((each) => each.ratio)),
    cpuCost: costs.length === 0 ? null : spread(costs),
    perSecond: spread(windows.map((window) => window.perSecond)),
    p50Ms: median(windows.map((window) => window.p50Ms)),
    p99Ms: median(windows.map((window) => window.p99Ms)),
    cpuMicros: medianOrNull(windows.map((window) => window.cpuMicros)),
    serverShare: medianOrNull(windows.map((window) => window.serverShare)),
    generatorShare: median(windows.map((window) => window.cpuShare)),
    failures,
    windows: windows.length,
  }
}

/**
 * Of each server, before it is measured. V8 goes on compiling the broker for about so many exchanges (`--trace-opt`), on the core that
 * is measured; what has less code is done sooner.
 */
const WARM_EXCHANGES = 20_000
const WARM_WINDOW_SECONDS = 2

/** `window` measures one. How many exchanges it took. */
export const warmUp = async (window: (seconds: number) => Promise<Window>): Promise<number> => {
  let answered = 0
  while (answered < WARM_EXCHANGES) {
    const warmed = await window(WARM_WINDOW_SECONDS)
    if (warmed.answered === 0) throw new Error('nothing was answered')
    answered += warmed.answered
  }
  return answered
}

type Plan = { readonly rounds: number; readonly seconds: number }

/** Floor, a, floor, b, floor … `rounds` times, each warm before. The floor's own report comes first. */
export const sandwich = async (
  generator: LoadGenerator,
  floor: Target,
  targets: readonly Target[],
  bodies: BodySupply,
  plan: Plan,
): Promise<readonly TargetReport[]> => {
  const window = (target: Target, seconds: number): Promise<Window> => oneWindow(generator, target, bodies, seconds)
  for (const target of [floor, ...targets]) await warmUp((seconds) => window(target, seconds))
  const pairs = new Map<Target, Pair[]>(targets.map((target) => [target, []]))
  const floors = [await window(floor, plan.seconds)]
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const target of targets) {
      const middle = await window(target, plan.seconds)
      const before = floors.at(-1)!
      const after = await window(floor, plan.seconds)
      floors.push(after)
      pairs.get(target)?.push(pair(middle, before, after))
    }
  }
  const floorPairs = floors.map((each) => ({ window: each, ratio: 1, cpuCost: each.cpuMicros === null ? null : 1 }))
  return [
    summarize(floor.name, floorPairs),
    ...targets.map((target) => summarize(target.name, pairs.get(target) ?? [])),
  ]
}
