// Events on their way into a log: a draft becomes an event when its place there is known. Those of one shape are written from a
// template, which gives the very text that the object would. Pure.
import { isPlainText, jsonTemplate, type ShapeObject } from '../json-template.ts'
import { boundedEvent, type EventShape, envelopeOf, LONG, needsBounding, type OcsfEvent, typeUidOf } from './event.ts'
import {
  type ChainLink,
  type ChainPlace,
  inLogShape,
  type Placed,
  type Unsigned,
  unsignedEvent,
} from './record-integrity.ts'

export type EventDraft = {
  readonly uid: string
  /** Epoch milliseconds. */
  readonly time: number
  readonly typeUid: number
  readonly unsigned: (at: ChainPlace) => Unsigned
}

export const draftOf = (event: OcsfEvent): EventDraft => ({
  uid: event.metadata.uid,
  time: event.time,
  typeUid: event.type_uid,
  unsigned: (at) => unsignedEvent(event, at),
})

export type EventTemplate<T> = {
  readonly event: (input: T) => OcsfEvent
  /** `isPlain`: nothing in the input has to be escaped in JSON. */
  readonly draft: (input: T, isPlain: boolean) => EventDraft
}

export const eventTemplate = <T extends object>(shape: EventShape<T>): EventTemplate<T> => {
  const envelope: ShapeObject<T> & { readonly metadata: ShapeObject<T> } = envelopeOf(shape)
  const alone = jsonTemplate<T>(envelope, LONG)
  const inLog = jsonTemplate<T & Placed>(inLogShape<T>(envelope), LONG)
  const event = (input: T): OcsfEvent => boundedEvent(alone.object(input))
  return {
    event,
    draft(input, isPlain) {
      const uid = String(shape.uid(input))
      return {
        uid,
        time: Number(shape.time(input)),
        typeUid: typeUidOf(shape),
        unsigned(at) {
          const { before } = at
          const written =
            before === null
              ? null
              : inLog.text({ ...input, uid, at: { ...at, before } }, isPlain && isPlainPlace(at, before))
          return written === null || needsBounding(written.text) ? unsignedEvent(event(input), at) : written
        },
      }
    },
  }
}

const isPlainPlace = ({ chain, authority }: ChainPlace, { uid }: ChainLink): boolean =>
  isPlainText(chain) && isPlainText(authority) && isPlainText(uid)
