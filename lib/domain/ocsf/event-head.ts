// What is asked of an event whose canonical text is at hand: what kind it is, when, whose, and its place in the log. The whole event is some hundred
// members, and to parse them all for these costs more than everything else that is done with a leaf. Pure.
import type { OcsfEvent } from './event.ts'

export type EventHead = Pick<OcsfEvent, 'class_uid' | 'type_uid' | 'time' | 'metadata'>

/** Of the metadata at least what names the event. Throws SyntaxError where it is no JSON. */
export const headOfEvent = (canonical: string): EventHead => headFrom(canonical) ?? (JSON.parse(canonical) as OcsfEvent)

// A quotation mark within a string is escaped, so these are found as members only. Canonical order has them one behind the other;
// what is there twice, or holds what JSON has an escape for, is left to the parser.
const METADATA = 'metadata":{"correlation_uid":"'
const CLASS = 'class_uid":'
const SEQUENCE = 'sequence":'
const TIME = ',"time":'
const TEXT = /([^"\\]*)"/y
const NUMBER = /(\d{1,16}),/y
const PLACE = /(\d{1,16}),"tenant_uid":"([^"\\]*)","uid":"([^"\\]*)","version":"/y
const TIMES = /(\d{1,16}),"type_uid":(\d{1,16}),/y

const headFrom = (text: string): EventHead | null => {
  const metadata = text.indexOf(METADATA)
  const place = text.indexOf(SEQUENCE, metadata)
  if (metadata < 0 || place < 0 || text.includes(METADATA, metadata + 1)) return null
  const kind = at(text, NUMBER, text.indexOf(CLASS), CLASS)
  const correlation = at(text, TEXT, metadata, METADATA)
  const placed = at(text, PLACE, place, SEQUENCE)
  const times = at(text, TIMES, text.indexOf(TIME, place), TIME)
  if (kind === null || correlation === null || placed === null || times === null) return null
  return {
    class_uid: Number(kind[1]),
    time: Number(times[1]),
    type_uid: Number(times[2]),
    metadata: {
      correlation_uid: correlation[1]!,
      sequence: Number(placed[1]),
      tenant_uid: placed[2]!,
      uid: placed[3]!,
    },
  }
}

const at = (text: string, pattern: RegExp, found: number, lead: string): RegExpExecArray | null => {
  if (found < 0) return null
  pattern.lastIndex = found + lead.length
  return pattern.exec(text)
}
