// Handles between their text and their words: 16 characters of base64url, 12 bytes, three words. Pure.
import { decodeBase64url } from '../domain/base64url.ts'
import { HANDLE_CHARS } from '../domain/revocation-feed.ts'
import type { Handle } from './handle-table.ts'

const HANDLE_BYTES = 12

/** Null: the text is not handles one after another. */
export const readHandles = (text: string): readonly Handle[] | null => {
  const bytes = text.length % HANDLE_CHARS === 0 ? decodeBase64url(text) : null
  if (bytes === null) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const handles: Handle[] = []
  for (let at = 0; at < bytes.length; at += HANDLE_BYTES)
    handles.push([view.getUint32(at), view.getUint32(at + 4), view.getUint32(at + 8)])
  return handles
}

/** Null: one of them is none. */
export const readHandleList = (texts: readonly string[]): readonly Handle[] | null =>
  texts.every(({ length }) => length === HANDLE_CHARS) ? readHandles(texts.join('')) : null
