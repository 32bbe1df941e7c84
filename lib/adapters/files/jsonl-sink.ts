// A sink that is a file: one event a line, as CloudEvents, appended and synced before they count as delivered. A line that a crash
// cut short is taken away before the next is written, so every line of the file is whole.
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { oneLine } from '../../domain/canonical-json.ts'
import { TAKEN } from '../../domain/sink.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Sink } from '../../ports/sinks.ts'
import { cloudEventText } from '../../wire/cloud-event.ts'

const NEWLINE = 0x0a
const CHUNK_BYTES = 64 * 1024

/** `path`: within --data, its name checked when the document was loaded. */
export const createJsonlSink = (path: string, issuerUrl: string): Sink => ({
  async deliver(events) {
    const lines = events.map((event) => cloudEventText(event, { issuerUrl }))
    let file: number
    try {
      // A link would have the broker write where whoever made it wants.
      const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW
      file = openSync(path, flags, 0o600)
    } catch (cause) {
      throw new Unavailable('store_unavailable', undefined, { cause })
    }
    try {
      cutTornLine(file)
      writeAll(file, bytesOf(lines))
      fsyncSync(file)
    } catch (cause) {
      throw new Unavailable('store_unavailable', undefined, { cause })
    } finally {
      closeSync(file)
    }
    return TAKEN
  },
})

const DELETE = '\u007f'

/** Lines that are safe to print. One whose bytes are as many as its characters is ASCII, and has nothing to be escaped but DEL. */
const bytesOf = (lines: readonly string[]): Buffer => {
  const text = `${lines.join('\n')}\n`
  const bytes = Buffer.from(text)
  if (bytes.length === text.length && !text.includes(DELETE)) return bytes
  return Buffer.from(lines.map((line) => `${oneLine(line)}\n`).join(''))
}

const writeAll = (file: number, bytes: Buffer): void => {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}

const cutTornLine = (file: number): void => {
  const { size } = fstatSync(file)
  const chunk = Buffer.alloc(Math.min(size, CHUNK_BYTES))
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - chunk.length)
    const read = readSync(file, chunk, 0, end - start, start)
    const newline = chunk.subarray(0, read).lastIndexOf(NEWLINE)
    if (newline >= 0) {
      if (start + newline + 1 < size) ftruncateSync(file, start + newline + 1)
      return
    }
    end = start
  }
  if (size > 0) ftruncateSync(file, 0)
}
