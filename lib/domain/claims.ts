// What a JSON payload is once it passed the strict parser: null-prototype objects, never inherited members. Pure.
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject
export type JsonObject = { readonly [member: string]: JsonValue }

/** Claims nobody has vouched for yet. Only flows/verify-evidence.ts turns them into verified ones. */
export type UnverifiedClaims = JsonObject

/** The member at a path of names, or null where any step is missing: missing and null are one thing, and never match. */
export const claimAt = (claims: JsonObject, path: readonly string[]): JsonValue => {
  let at: JsonValue = claims
  for (const name of path) {
    if (typeof at !== 'object' || at === null || Array.isArray(at)) return null
    const next: JsonValue | undefined = (at as JsonObject)[name]
    if (next === undefined) return null
    at = next
  }
  return at
}
