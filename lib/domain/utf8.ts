// UTF-8, strictly (RFC 3629): what a token part says, or nothing. Pure.

// ignoreBOM keeps a byte order mark in the text, where the JSON grammar refuses it, instead of dropping it unseen.
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of well-formed UTF-8, or null. */
export const decodeUtf8 = (bytes: Uint8Array<ArrayBuffer>): string | null => {
  try {
    return strict.decode(bytes)
  } catch {
    return null
  }
}

/** Bytes of a well-formed string in UTF-8. */
export const utf8Length = (value: string): number => {
  let bytes = value.length
  for (let i = 0; i < value.length; i += 1) {
    const code = value.charCodeAt(i)
    // A surrogate is half of four bytes, so each half adds one to the code unit counted above.
    if (code >= 0x80) bytes += code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2
  }
  return bytes
}
