// Lengths of time in tenant documents: 30s, 10m, 1h. Pure.
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 }

/** Seconds of a duration that passed the schema. */
export const secondsOf = (duration: string): number =>
  Number(duration.slice(0, -1)) * (UNIT_SECONDS[duration.slice(-1)] ?? Number.NaN)
