// What the base URL of a broker may be: the same for serve and for every command that is told of one.
import { UsageError } from '../command.ts'

const HTTPS = /^https:\/\/[^/?#@\s]+(?:\/[^?#\s]*)?$/
const LOOPBACK = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:\/[^?#\s]*)?$/

export const BASE_URL_FORM = '--base-url must be an https URL without query or fragment (or http to loopback)'

export const isBaseUrl = (text: string): boolean => URL.canParse(text) && (HTTPS.test(text) || LOOPBACK.test(text))

/** As it was given, if it was. Throws UsageError: issuers under what is no URL would be nobody's own. */
export const readBaseUrl = (text: string | undefined): string | undefined => {
  if (text !== undefined && !isBaseUrl(text)) throw new UsageError(BASE_URL_FORM)
  return text
}
