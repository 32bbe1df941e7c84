// The form of introspection and revocation (RFC 7662 §2.1, RFC 7009 §2.1). `token_type_hint` is a hint and changes nothing.
import { parseForm } from './form.ts'

/** Null: malformed, repeated, or without a token. */
export const parseTokenForm = (body: string): string | null => {
  const form = parseForm(body)
  if (!form.ok || [...form.value.values()].some((values) => values.length > 1)) return null
  return form.value.get('token')?.[0] || null
}
