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
  /** Null: something in it exceeds the bounds, or has no canonical form; the object has to be asked for, and made fit. */
  readonly text: (input: T) => { readonly text: string; readonly cutAt: number } | null
}

/** The first member of each object is always there: nothing but a comma would tell where it is missing. */
export const jsonTemplate = <T>(shape: ShapeObject<T>, bounds: Bounds): JsonTemplate<T> => {
  const steps = stepsOf(shape)
  return {
    object: (input) => objectOf(shape, input) as JsonObject,
    text: (input) => textOf(steps, input, bounds),
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

/** What stands in front of a value; `quoted` where it is a text that is written as it is. */
type Lead = { readonly bare: string; readonly quoted: string }

const leadOf = (bare: string): Lead => ({ bare, quoted: `${bare}"` })

/** `before` stands there always, `lead` only in front of what the slot gives. */
type Step<T> = {
  readonly before: string
  readonly lead: Lead
  readonly isOptional: boolean
  readonly slot: Slot<T> | typeof CUT
}

type Steps<T> = { readonly steps: readonly Step<T>[]; readonly end: string }

const stepsOf = <T>(whole: Shape<T>): Steps<T> => {
  const steps: Step<T>[] = []
  let text = ''
  const add = (shape: Shape<T>, lead: string): void => {
    if (typeof shape === 'function' || shape === CUT) {
      // What has to be there has one text in front of it, with what stands there always.
      const isOptional = lead.startsWith(',')
      steps.push({
        before: isOptional ? text : '',
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
  return { steps, end: text }
}

const textOf = <T>({ steps, end }: Steps<T>, input: T, bounds: Bounds): ReturnType<JsonTemplate<T>['text']> => {
  let text = ''
  let cutAt = 0
  for (const { before, lead, isOptional, slot } of steps) {
    if (before !== '') text += before
    if (slot === CUT) {
      cutAt = text.length
      continue
    }
    const value = slot(input)
    if (value === null) {
      if (!isOptional) throw new TypeError('a first member is always there')
      continue
    }
    const written = writtenOf(value, lead, bounds)
    if (written === null) return null
    text += written
  }
  return { text: text + end, cutAt }
}

/** Printable ASCII that JSON has no escape for: almost every text there is. */
const PLAIN = /^[ !#-[\]-~]*$/

const writtenOf = (value: JsonValue, { bare, quoted }: Lead, bounds: Bounds): string | null => {
  if (typeof value === 'string') {
    if (value.length > bounds.charsMax) return null
    if (PLAIN.test(value)) return `${quoted}${value}"`
    return value.isWellFormed() ? bare + JSON.stringify(value) : null
  }
  if (typeof value === 'number') return Number.isFinite(value) ? bare + String(value) : null
  if (typeof value === 'boolean' || value === null) return bare + String(value)
  if (typeof value !== 'object') return null
  return Array.isArray(value) ? writtenList(value, bare, bounds) : writtenObject(value as JsonObject, bare, bounds)
}

const FIRST_ITEM = leadOf('')
const NEXT_ITEM = leadOf(',')

const writtenList = (list: readonly JsonValue[], lead: string, bounds: Bounds): string | null => {
  if (list.length > bounds.itemsMax) return null
  let text = `${lead}[`
  for (let at = 0; at < list.length; at += 1) {
    const written = writtenOf(list[at]!, at === 0 ? FIRST_ITEM : NEXT_ITEM, bounds)
    if (written === null) return null
    text += written
  }
  return `${text}]`
}

const writtenObject = (object: JsonObject, lead: string, bounds: Bounds): string | null => {
  const members = membersOf(Object.keys(object))
  if (members === null || members.length > bounds.itemsMax) return null
  let text = `${lead}{`
  let isFirst = true
  for (const { name, first, next } of members) {
    const member = object[name]!
    if (member === null) continue
    const written = writtenOf(member, isFirst ? first : next, bounds)
    if (written === null) return null
    text += written
    isFirst = false
  }
  return `${text}}`
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
