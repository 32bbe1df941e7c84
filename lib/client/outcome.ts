// What the job's side answers: a value, or a problem with the exit code it means (design §9). Expected failures are values.

export type ProblemKind =
  | 'refused' // exit 1: the platform or the broker said no, and would again
  | 'usage' // exit 2: nothing to present, or asked for wrongly; the text says what to change
  | 'unavailable' // exit 3: no answer, or "not now", after all tries

/** Safe to print: `says` and every fact went through `printable` or are our own text. Never an assertion, never a token. */
export type Problem = {
  readonly kind: ProblemKind
  readonly says: string
  /** What a program reads under --json: the members of RFC 6749 §5.2 and ours, where the broker sent them. */
  readonly facts?: Readonly<Record<string, string | number>>
}

export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem }

export const done = <T>(value: T): Outcome<T> => ({ ok: true, value })

export const fail = (kind: ProblemKind, says: string, facts?: Problem['facts']): Outcome<never> => ({
  ok: false,
  problem: facts === undefined ? { kind, says } : { kind, says, facts },
})

export const EXIT_CODES: Readonly<Record<ProblemKind, number>> = { refused: 1, usage: 2, unavailable: 3 }
