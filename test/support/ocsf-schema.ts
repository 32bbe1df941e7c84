// Compiles the OCSF schema as it is published (extends, includes, profiles, dictionary) and validates events against it: every
// attribute known, of its type, in its enum, deprecated ones refused, constraints held. Written from the schema's own rules.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../shared/vectors/ocsf-schema', import.meta.url))

export const hasOcsfSchema = (): boolean => existsSync(join(ROOT, 'dictionary.json'))

type Attribute = {
  readonly type?: string
  readonly requirement?: string
  readonly is_array?: boolean
  readonly enum?: Readonly<Record<string, { readonly caption: string }>>
  readonly sibling?: string
  readonly profile?: string | readonly string[] | null
  readonly '@deprecated'?: unknown
}
type Definition = {
  readonly name: string
  readonly uid?: number
  readonly category?: string
  readonly extends?: string
  readonly attributes: Readonly<Record<string, Attribute | readonly string[]>>
  readonly constraints?: Readonly<Record<string, readonly string[]>>
}
type Compiled = {
  readonly name: string
  readonly uid: number
  readonly category: string | undefined
  readonly attributes: Map<string, Attribute>
  readonly constraints: Readonly<Record<string, readonly string[]>>
}
type ScalarType = {
  readonly regex?: string
  readonly max_len?: number
  readonly range?: readonly [number, number]
  readonly values?: readonly unknown[]
  readonly type?: string
}

const read = <T>(path: string): T => JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as T

export type OcsfValidator = (event: unknown) => string[]

export const loadOcsfSchema = (): OcsfValidator => {
  const dictionary = read<{ attributes: Record<string, Attribute>; types: { attributes: Record<string, ScalarType> } }>(
    'dictionary.json',
  )
  const categories = read<{ attributes: Record<string, { uid: number }> }>('categories.json').attributes
  const definitionsOf = (pattern: string) =>
    new Map(
      globSync(pattern, { cwd: ROOT }).map((path) => {
        const definition = read<Definition>(path)
        return [definition.name, definition] as const
      }),
    )
  const objects = definitionsOf('objects/*.json')
  const events = definitionsOf('events/**/*.json')
  const compiled = new Map<string, Compiled>()

  const compile = (kind: 'object' | 'event', name: string): Compiled => {
    const key = `${kind} ${name}`
    const known = compiled.get(key)
    if (known !== undefined) return known
    const definition = (kind === 'object' ? objects : events).get(name)
    if (definition === undefined) throw new Error(`the schema has no ${key}`)
    const base = definition.extends === undefined ? null : compile(kind, definition.extends)
    const attributes = new Map(base?.attributes ?? [])
    const add = (attribute: string, own: Attribute) =>
      attributes.set(attribute, merged(attributes.get(attribute) ?? dictionary.attributes[attribute] ?? {}, own))
    for (const path of (definition.attributes['$include'] ?? []) as readonly string[]) {
      const profile = read<{ name: string; attributes: Record<string, Attribute> }>(path)
      // What the class has by itself does not need the profile.
      for (const [attribute, own] of Object.entries(profile.attributes))
        if (!attributes.has(attribute)) add(attribute, { ...own, profile: profile.name })
    }
    for (const [attribute, own] of Object.entries(definition.attributes))
      if (attribute !== '$include') {
        const found = attributes.get(attribute)
        const isOwn = !('profile' in (own as Attribute)) && found?.profile === undefined
        add(attribute, { ...(own as Attribute), ...(isOwn ? {} : { profile: (own as Attribute).profile ?? null }) })
      }
    const made: Compiled = {
      name,
      uid: definition.uid ?? base?.uid ?? 0,
      category: definition.category ?? base?.category,
      attributes,
      constraints: definition.constraints ?? base?.constraints ?? {},
    }
    compiled.set(key, made)
    return made
  }

  const classes = new Map<number, Compiled>()
  for (const name of events.keys()) {
    const made = compile('event', name)
    const category = made.category === undefined ? 0 : (categories[made.category]?.uid ?? 0)
    if (events.get(name)?.uid !== undefined) classes.set(category * 1000 + made.uid, made)
  }

  const checkScalar = (typeName: string, value: unknown, at: string, problems: string[]): void => {
    const type = dictionary.types.attributes[typeName]
    if (type === undefined) return void problems.push(`${at}: type ${typeName} is not in the dictionary`)
    if (typeName === 'json_t') return
    const base = type.type ?? typeName
    const isOfType =
      base === 'string_t'
        ? typeof value === 'string'
        : base === 'integer_t' || base === 'long_t'
          ? Number.isSafeInteger(value)
          : base === 'float_t'
            ? typeof value === 'number'
            : base === 'boolean_t' && typeof value === 'boolean'
    if (!isOfType) return void problems.push(`${at}: ${JSON.stringify(value)} is no ${typeName}`)
    if (type.regex !== undefined && !new RegExp(type.regex).test(String(value)))
      problems.push(`${at}: not a ${typeName}`)
    if (type.max_len !== undefined && String(value).length > type.max_len) problems.push(`${at}: too long`)
    if (type.range !== undefined && (Number(value) < type.range[0] || Number(value) > type.range[1]))
      problems.push(`${at}: out of range`)
  }

  const checkValue = (attribute: Attribute, value: unknown, at: string, profiles: Set<string>, problems: string[]) => {
    const type = attribute.type ?? 'string_t'
    if (!objects.has(type)) checkScalar(type, value, at, problems)
    else if (type !== 'object') checkObject(compile('object', type), value, at, profiles, problems)
    if (attribute.enum !== undefined && !Object.hasOwn(attribute.enum, String(value)))
      problems.push(`${at}: ${value} is not in the enum`)
  }

  /** What a value of an enum is called stands beside it: its caption, or for Other what the source calls it. */
  const checkSibling = (
    { enum: values, sibling }: Attribute,
    members: Record<string, unknown>,
    value: unknown,
    place: string,
    problems: string[],
  ) => {
    const caption = values?.[String(value)]?.caption
    if (sibling === undefined || caption === undefined) return
    const said = members[sibling]
    if (value === 99 ? typeof said !== 'string' : said !== undefined && said !== caption)
      problems.push(`${place}: ${sibling} is ${String(said)}, not ${caption}`)
  }

  const checkObject = (
    { attributes, constraints }: Compiled,
    value: unknown,
    at: string,
    profiles: Set<string>,
    problems: string[],
  ): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return void problems.push(`${at}: not an object`)
    const members = value as Record<string, unknown>
    for (const [name, member] of Object.entries(members)) {
      const attribute = attributes.get(name)
      const place = at === '' ? name : `${at}.${name}`
      if (attribute === undefined) problems.push(`${place}: unknown attribute`)
      else if (!isEnabled(attribute, profiles)) problems.push(`${place}: needs profile ${String(attribute.profile)}`)
      else {
        if (attribute['@deprecated'] !== undefined) problems.push(`${place}: deprecated`)
        checkSibling(attribute, members, member, place, problems)
        if (attribute.is_array !== true) checkValue(attribute, member, place, profiles, problems)
        else if (!Array.isArray(member)) problems.push(`${place}: not an array`)
        else
          for (const [index, one] of member.entries())
            checkValue(attribute, one, `${place}[${index}]`, profiles, problems)
      }
    }
    for (const [name, attribute] of attributes)
      if (attribute.requirement === 'required' && isEnabled(attribute, profiles) && !Object.hasOwn(members, name))
        problems.push(`${at === '' ? name : `${at}.${name}`}: required and missing`)
    for (const name of constraints['at_least_one'] === undefined ? [] : [constraints['at_least_one']])
      if (!name.some((one) => Object.hasOwn(members, one))) problems.push(`${at}: needs one of ${name.join(', ')}`)
    const justOne = constraints['just_one']
    if (justOne !== undefined && justOne.filter((one) => Object.hasOwn(members, one)).length !== 1)
      problems.push(`${at}: needs exactly one of ${justOne.join(', ')}`)
  }

  return (event) => {
    const members = event as Record<string, unknown>
    const problems: string[] = []
    const found = classes.get(Number(members['class_uid']))
    if (found === undefined) return ['class_uid: no such class']
    const categoryUid = categories[found.category ?? '']?.uid
    if (members['category_uid'] !== categoryUid) problems.push('category_uid: not that of the class')
    if (members['type_uid'] !== Number(members['class_uid']) * 100 + Number(members['activity_id']))
      problems.push('type_uid: not class_uid * 100 + activity_id')
    const metadata = members['metadata'] as { profiles?: readonly string[] } | undefined
    const attributes = new Map(found.attributes)
    // Filled in by the compiler for every class from its own name.
    for (const name of ['class_uid', 'category_uid', 'type_uid']) {
      const { enum: _, ...rest } = attributes.get(name) as Attribute
      attributes.set(name, rest)
    }
    checkObject({ ...found, attributes }, event, '', new Set(metadata?.profiles ?? []), problems)
    if (Number(members['count'] ?? 1) > 1 && members['time'] !== members['start_time'])
      problems.push('time: of what is counted together it is start_time')
    return problems
  }
}

const isEnabled = ({ profile }: Attribute, profiles: ReadonlySet<string>): boolean =>
  profile === undefined || profile === null || [profile].flat().some((one) => profiles.has(one as string))

const merged = (base: Attribute, own: Attribute): Attribute => ({
  ...base,
  ...Object.fromEntries(Object.entries(own).filter(([name, value]) => name === 'profile' || value !== null)),
  ...(base.enum !== undefined && own.enum !== undefined ? { enum: { ...base.enum, ...own.enum } } : {}),
})
