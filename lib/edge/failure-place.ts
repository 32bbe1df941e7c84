// What may be said of an unexpected error: its name and where it was thrown. Its message may hold what a caller sent.

export const placeOf = (error: unknown): { readonly name: string; readonly at: string } => {
  const { name = 'unknown', stack = '' } = error instanceof Error ? error : {}
  return { name, at: /\n\s+at (.+)/.exec(stack)?.[1] ?? 'unknown' }
}
