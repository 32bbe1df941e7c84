// What a JSON payload is once it passed the strict parser: null-prototype objects, never inherited members. Pure.
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject
export type JsonObject = { readonly [member: string]: JsonValue }

export const isJsonObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** For JSON.parse of what was stored: objects as the strict parser makes them. */
export const withoutPrototype = (_: string, value: JsonValue): JsonValue =>
  isJsonObject(value) ? Object.assign(Object.create(null), value) : value

/** Claims nobody has vouched for yet. Only flows/verify-evidence.ts turns them into verified ones. */
export type UnverifiedClaims = JsonObject

/** The member at a path of names, or null where any step is missing: missing and null are one thing, and never match. */
export const claimAt = (claims: JsonObject, path: readonly string[]): JsonValue => {
  let at: JsonValue = claims
  for (const name of path) {
    if (!isJsonObject(at)) return null
    const next: JsonValue | undefined = at[name]
    if (next === undefined) return null
    at = next
  }
  return at
}
