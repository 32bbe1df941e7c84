// Text from elsewhere, made fit for a job's log. A server may answer with anything, the assertion it was sent included.

const LENGTH_MAX = 300

// Two long base64url parts with a dot between are a JWT, or enough of one. Linear: no part can match the dot.
const TOKEN = /[\w-]{16,}\.[\w-]{4,}(?:\.[\w-]*)?/g

// Control, format and line-separator characters: a new line could start a workflow command (`::set-env …`) in the log.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu

/** One line, at most 300 characters, no control characters, nothing that looks like a JWT, none of `secrets`. */
export const printable = (text: string, secrets: readonly string[] = []): string => {
  let safe = text.slice(0, 8 * 1024)
  for (const secret of secrets) if (secret !== '') safe = safe.replaceAll(secret, '[removed]')
  return safe.replace(UNPRINTABLE, ' ').replace(TOKEN, '[removed]').trim().slice(0, LENGTH_MAX)
}
