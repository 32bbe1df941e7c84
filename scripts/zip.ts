// A zip of one file whose bytes follow from its name and content alone: no clock, no owner, fixed order (PKWARE APPNOTE 4.3).
import { crc32, deflateRawSync } from 'node:zlib'

const VERSION = 20
const DEFLATED = 8
/** 1980-01-01, where MS-DOS time begins. */
const DOS_DATE = 0x0021
/** A regular file that everybody may read: Lambda runs as another user. */
const MODE = 0o100644

export const zipOf = (name: string, content: Uint8Array): Buffer => {
  const path = Buffer.from(name)
  const packed = deflateRawSync(content, { level: 9 })
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(VERSION, 0)
  fields.writeUInt16LE(DEFLATED, 4)
  fields.writeUInt16LE(DOS_DATE, 8)
  fields.writeUInt32LE(crc32(content), 10)
  fields.writeUInt32LE(packed.length, 14)
  fields.writeUInt32LE(content.length, 18)
  fields.writeUInt16LE(path.length, 22)
  const local = Buffer.concat([signature(0x04034b50), fields, path, packed])

  const rest = Buffer.alloc(14)
  rest.writeUInt32LE(MODE * 0x10000, 6)
  const madeBy = Buffer.from([VERSION, 3]) // on Unix: the mode counts
  const central = Buffer.concat([signature(0x02014b50), madeBy, fields, rest, path])

  const end = Buffer.alloc(18)
  end.writeUInt16LE(1, 4)
  end.writeUInt16LE(1, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(local.length, 12)
  return Buffer.concat([local, central, signature(0x06054b50), end])
}

const signature = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
