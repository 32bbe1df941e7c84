// Where an assertion or a request token may be sent: https, or http to this machine. Nothing else, and no URL that hides a user.

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** Null where the URL is not absolute, not https (http to loopback passes), has a user, a password or a fragment. */
export const parseSecureUrl = (text: string): URL | null => {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.test(url.hostname))) return null
  return url.username === '' && url.password === '' && !text.includes('#') ? url : null
}

/** The issuer URL of a tenant without a trailing slash: what its paths are appended to. Null as above, and with a query. */
export const parseTenantUrl = (text: string): string | null => {
  const url = parseSecureUrl(text)
  // The text itself, not url.href: the assertion's audience must equal the tenant's issuer to the letter.
  return url === null || text.includes('?') ? null : text.replace(/\/+$/, '')
}
