// A zip of files whose bytes follow from their names and contents alone: no clock, no owner, fixed order (PKWARE APPNOTE 4.3).
import { crc32, deflateRawSync } from 'node:zlib'

const VERSION = 20
const DEFLATED = 8
/** 1980-01-01, where MS-DOS time begins. */
const DOS_DATE = 0x0021
/** A regular file that everybody may read: Lambda runs as another user. */
const MODE = 0o100644

type ZipEntry = { readonly name: string; readonly content: Uint8Array }

export const zipOf = (...entries: readonly ZipEntry[]): Buffer => {
  const locals: Buffer[] = []
  const centrals: Buffer[] = []
  let offset = 0
  for (const entry of entries) {
    const { local, central } = filed(entry, offset)
    locals.push(local)
    centrals.push(central)
    offset += local.length
  }
  const central = Buffer.concat(centrals)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(entries.length, 4)
  end.writeUInt16LE(entries.length, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...locals, central, signature(0x06054b50), end])
}

/** `offset`: where the entry begins. */
const filed = ({ name, content }: ZipEntry, offset: number) => {
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
  const rest = Buffer.alloc(14)
  rest.writeUInt32LE(MODE * 0x10000, 6)
  rest.writeUInt32LE(offset, 10)
  const madeBy = Buffer.from([VERSION, 3]) // on Unix: the mode counts
  return {
    local: Buffer.concat([signature(0x04034b50), fields, path, packed]),
    central: Buffer.concat([signature(0x02014b50), madeBy, fields, rest, path]),
  }
}

const signature = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
