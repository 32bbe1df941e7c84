// Objects of one shape, made again and again: the shape is written once, with places left open, and gives both the object and its
// canonical text (RFC 8785). What never changes of the text is sorted and escaped once, when the template is made. Pure.
import type { JsonObject, JsonValue } from './claims.ts'

/** What stands in a place, for one input. Null: there is no such member. */
export type Slot<T> = (input: T) => JsonValue

/** A member that is put in by whoever asks for the text: the text is without it, and says where it belongs. Never the first. */
export const CUT = Symbol('cut')

export type Shape<T> = string | number | boolean | Slot<T> | typeof CUT | readonly Shape<T>[] | ShapeObject<T>
export type ShapeObject<T> = { readonly [name: string]: Shape<T> }

/** Which values may be written as they are. */
export type Bounds = { readonly charsMax: number; readonly itemsMax: number }

export type JsonTemplate<T> = {
  readonly object: (input: T) => JsonObject
  /**
   * Null: something in it exceeds the bounds, or has no canonical form; the object has to be asked for, and made fit.
   * `isPlain`: no string in the input is one that JSON would escape, or that has no canonical form. Then none is looked at.
   */
  readonly text: (input: T, isPlain?: boolean) => { readonly text: string; readonly cutAt: number } | null
}

/** The first member of each object is always there: nothing but a comma would tell where it is missing. */
export const jsonTemplate = <T>(shape: ShapeObject<T>, bounds: Bounds): JsonTemplate<T> => {
  const whole = stepsOf(shape)
  let settled: Settled<T> | null = null
  return {
    object: (input) => objectOf(shape, input) as JsonObject,
    text(input, isPlain = false) {
      if (settled === null || !isStillSettled(settled, input)) settled = settle(whole, settled, input, bounds)
      return textOf(settled.moving, input, { bounds, isPlain, text: '', isOpen: false })
    },
  }
}

const objectOf = <T>(shape: Shape<T>, input: T): JsonValue => {
  if (shape === CUT) return null
  if (typeof shape === 'function') return shape(input)
  if (isList(shape)) return shape.map((one) => objectOf(one, input))
  if (typeof shape !== 'object') return shape as JsonValue
  const members = Object.entries(shape).map(([name, member]) => [name, objectOf(member, input)] as const)
  return Object.fromEntries(members.filter(([, value]) => value !== null))
}

const isList = <T>(shape: Shape<T>): shape is readonly Shape<T>[] => Array.isArray(shape)

/**
 * What stands in front of a value. The quotation mark behind a text is written with what comes next, and the one before it with
 * what stands in front: of every two pieces that are put together one would be a mark alone. Named by what the marks do.
 */
type Lead = { readonly bare: string; readonly opens: string; readonly closes: string; readonly both: string }

/** Joined, which gives strings of one piece: what is added up keeps its parts, and is walked through for every text anew. */
const leadOf = (...bare: readonly string[]): Lead => ({
  bare: bare.join(''),
  opens: [...bare, '"'].join(''),
  closes: ['"', ...bare].join(''),
  both: ['"', ...bare, '"'].join(''),
})

/** `before` stands there always, `lead` only in front of what the slot gives. */
type Step<T> = {
  readonly before: Lead
  readonly lead: Lead
  readonly isOptional: boolean
  readonly slot: Slot<T> | typeof CUT
}

type Steps<T> = { readonly steps: readonly Step<T>[]; readonly end: Lead }

const stepsOf = <T>(whole: Shape<T>): Steps<T> => {
  const steps: Step<T>[] = []
  let text = ''
  const add = (shape: Shape<T>, lead: string): void => {
    if (typeof shape === 'function' || shape === CUT) {
      // What has to be there has one text in front of it, with what stands there always.
      const isOptional = lead.startsWith(',')
      steps.push({
        before: leadOf(isOptional ? text : ''),
        lead: leadOf(isOptional ? lead : text + lead),
        isOptional,
        slot: shape,
      })
      text = ''
      return
    }
    text += lead
    if (isList(shape))
      addAll(
        '[]',
        shape.map((one) => ['', one]),
      )
    else if (typeof shape !== 'object') text += JSON.stringify(shape)
    else
      addAll(
        '{}',
        Object.keys(shape)
          .sort()
          .map((name) => [`${JSON.stringify(name)}:`, shape[name]!]),
      )
  }
  const addAll = ([open, close]: string | string[], items: readonly (readonly [string, Shape<T>])[]): void => {
    text += open
    for (const [at, [name, item]] of items.entries()) add(item, at === 0 ? name : `,${name}`)
    text += close
  }
  add(whole, '')
  return { steps, end: leadOf(text) }
}

/**
 * Of most slots every input gives the same, such as the issuer or the algorithm. `moving`: the steps without them, for they are
 * part of what stands between; they are only looked at, whether they still are the same.
 */
type Settled<T> = { readonly still: readonly Still<T>[]; readonly moving: Steps<T> }
type Still<T> = { readonly slot: Slot<T>; readonly value: JsonValue }

const isStillSettled = <T>({ still }: Settled<T>, input: T): boolean => {
  for (const { slot, value } of still) if (slot(input) !== value) return false
  return true
}

/** What has moved once is never taken for settled again, so this is done no more often than there are slots. */
const settle = <T>(whole: Steps<T>, before: Settled<T> | null, input: T, bounds: Bounds): Settled<T> => {
  const candidates = new Set<Step<T>['slot']>(
    (before?.still.filter(({ slot, value }) => slot(input) === value) ?? whole.steps).map(({ slot }) => slot),
  )
  const still: Still<T>[] = []
  const steps: Step<T>[] = []
  let text = ''
  for (const step of whole.steps) {
    const { lead, isOptional, slot } = step
    text += step.before.bare
    const written = slot === CUT || !candidates.has(slot) ? null : textOfValue(slot(input), step, bounds)
    if (slot !== CUT && written !== null) {
      still.push({ slot, value: slot(input) })
      text += written
      continue
    }
    steps.push({ ...step, before: leadOf(isOptional ? text : ''), lead: isOptional ? lead : leadOf(text, lead.bare) })
    text = ''
  }
  return { still, moving: { steps, end: leadOf(text, whole.end.bare) } }
}

/** With what stands in front of it; null: it is another object every time, or cannot be written as it is. */
const textOfValue = (
  value: JsonValue,
  { lead, isOptional }: Pick<Step<never>, 'lead' | 'isOptional'>,
  bounds: Bounds,
): string | null => {
  if (value === null) return isOptional ? '' : null
  if (typeof value === 'object') return null
  const writer: Writer = { bounds, isPlain: false, text: '', isOpen: false }
  if (!write(writer, value, lead)) return null
  writeLead(writer, NOTHING)
  return writer.text
}

/** `isOpen`: a text was written last, and the mark behind it was not. */
type Writer = { readonly bounds: Bounds; readonly isPlain: boolean; text: string; isOpen: boolean }

const textOf = <T>({ steps, end }: Steps<T>, input: T, writer: Writer): ReturnType<JsonTemplate<T>['text']> => {
  let cutAt = 0
  for (const { before, lead, isOptional, slot } of steps) {
    if (before.bare !== '') writeLead(writer, before)
    if (slot === CUT) {
      // The mark of what is in front of a cut is in front of it, too.
      writeLead(writer, NOTHING)
      cutAt = writer.text.length
      continue
    }
    const value = slot(input)
    if (value === null) {
      if (!isOptional) throw new TypeError('a first member is always there')
      continue
    }
    if (!write(writer, value, lead)) return null
  }
  writeLead(writer, end)
  return { text: writer.text, cutAt }
}

const NOTHING = leadOf('')

const writeLead = (writer: Writer, { bare, closes }: Lead): void => {
  writer.text += writer.isOpen ? closes : bare
  writer.isOpen = false
}

/** Printable ASCII that JSON has no escape for: almost every text there is. */
const PLAIN = /^[ !#-[\]-~]*$/

export const isPlainText = (text: string): boolean => PLAIN.test(text)

/** False: it cannot be written as it is. */
const write = (writer: Writer, value: JsonValue, lead: Lead): boolean => {
  if (typeof value === 'string') {
    if (value.length > writer.bounds.charsMax) return false
    if (writer.isPlain || PLAIN.test(value)) {
      // Two statements: what is put together of three is put together twice.
      writer.text += writer.isOpen ? lead.both : lead.opens
      writer.text += value
      writer.isOpen = true
      return true
    }
    if (!value.isWellFormed()) return false
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return false
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? writeList(writer, value, lead) : writeObject(writer, value as JsonObject, lead)
  writeLead(writer, lead)
  writer.text += typeof value === 'string' ? JSON.stringify(value) : String(value)
  return true
}

const LIST = { open: leadOf('['), first: NOTHING, next: leadOf(','), close: leadOf(']') }
const OBJECT = { open: leadOf('{'), close: leadOf('}') }

const writeList = (writer: Writer, list: readonly JsonValue[], lead: Lead): boolean => {
  if (list.length > writer.bounds.itemsMax) return false
  writeLead(writer, lead)
  writeLead(writer, LIST.open)
  for (let at = 0; at < list.length; at += 1)
    if (!write(writer, list[at]!, at === 0 ? LIST.first : LIST.next)) return false
  writeLead(writer, LIST.close)
  return true
}

const writeObject = (writer: Writer, object: JsonObject, lead: Lead): boolean => {
  const members = membersOf(Object.keys(object))
  if (members === null || members.length > writer.bounds.itemsMax) return false
  writeLead(writer, lead)
  writeLead(writer, OBJECT.open)
  let isFirst = true
  for (const { name, first, next } of members) {
    const member = object[name]!
    if (member === null) continue
    if (!write(writer, member, isFirst ? first : next)) return false
    isFirst = false
  }
  writeLead(writer, OBJECT.close)
  return true
}

type Member = { readonly name: string; readonly first: Lead; readonly next: Lead }

/** The names seen last of each number of names: objects of one place mostly have the same, and to sort costs more than to write. */
const seen = new Map<number, { readonly names: readonly string[]; readonly members: readonly Member[] | null }>()
const SEEN_NAMES_MAX = 256

/** In the order of the canonical text; null: a name that is not written as it is. */
const membersOf = (names: readonly string[]): readonly Member[] | null => {
  const before = seen.get(names.length)
  if (before !== undefined && isSameList(names, before.names)) return before.members
  const members = names.every((name) => PLAIN.test(name))
    ? names.toSorted().map((name) => ({ name, first: leadOf(`"${name}":`), next: leadOf(`,"${name}":`) }))
    : null
  if (names.length <= SEEN_NAMES_MAX) seen.set(names.length, { names, members })
  return members
}

const isSameList = (a: readonly string[], b: readonly string[]): boolean => {
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false
  return true
}
