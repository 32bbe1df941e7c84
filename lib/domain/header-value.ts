// What a secret must be to be sent as a header (RFC 9110 §5.5), as much of it as is ASCII: anything else could not be sent, or would
// be a header more. Pure.
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

export const isHeaderValue = (text: string): boolean => HEADER_VALUE.test(text)
