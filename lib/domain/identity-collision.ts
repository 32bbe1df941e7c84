// Whether two different workloads can get one SPIFFE ID (design §5). A workload is (issuer, project id); a template is read
// with every leaf the grant fixes put in its place, and what stays open as [A-Za-z0-9._-]+. Segments are compared one by one:
// a value cannot contain "/". Errs on the side of saying "could". Pure.
import { type GlobPart, globsIntersect } from './glob.ts'
import type { GrantRule, IssuerConfig } from './tenant-config.ts'
import type { WidLeaf } from './wid.ts'

export type Collision = { readonly grant: string; readonly other: string; readonly path: string }

/** One way a template can read: a pattern for each segment. */
type Reading = {
  readonly grant: string
  readonly workload: string
  readonly segments: readonly (readonly GlobPart[])[]
  readonly literal: string | null
}

const USABLE = /^[A-Za-z0-9._-]+$/

/** Beyond this many combinations of fixed values, the leaf with the most of them counts as open. */
const READINGS_MAX = 256

/** The first collision of each pair of grants. `workloadLeaf` of an issuer's preset comes from `workloadLeafOf`. */
export const identityCollisions = (
  grants: readonly GrantRule[],
  issuers: readonly IssuerConfig[],
  workloadLeafOf: (issuer: IssuerConfig) => WidLeaf,
): readonly Collision[] => {
  const readings = grants.flatMap((grant) => {
    const issuer = issuers.find(({ name }) => name === grant.from)
    return issuer === undefined ? [] : readingsOf(grant, issuer, workloadLeafOf(issuer))
  })
  const found = new Map<string, Collision>()
  const note = (a: Reading, b: Reading) => {
    const key = `${a.grant}\0${b.grant}`
    if (a.workload !== b.workload && !found.has(key))
      found.set(key, { grant: b.grant, other: a.grant, path: pathOf(b) })
  }
  // Text against text is a lookup; only open readings are compared with all others.
  const byText = new Map<string, Reading[]>()
  const open: Reading[] = []
  for (const reading of readings) {
    for (const other of open) if (other.workload !== reading.workload && unify(other, reading)) note(other, reading)
    if (reading.literal === null) {
      for (const same of byText.values())
        for (const other of same) if (other.workload !== reading.workload && unify(other, reading)) note(other, reading)
      open.push(reading)
      continue
    }
    const same = byText.get(reading.literal) ?? []
    for (const other of same) note(other, reading)
    byText.set(reading.literal, [...same, reading])
  }
  return [...found.values()]
}

const unify = (a: Reading, b: Reading): boolean =>
  a.segments.length === b.segments.length &&
  a.segments.every((segment, index) => globsIntersect(segment, b.segments[index]!))

const pathOf = ({ segments }: Reading): string =>
  segments
    .map((parts) => `/${parts.map((part) => (typeof part === 'string' ? part : part === 3 ? '' : '…')).join('')}`)
    .join('')

const readingsOf = (grant: GrantRule, issuer: IssuerConfig, workloadLeaf: WidLeaf): Reading[] => {
  const fixed = fixedValues(grant, issuer)
  const projects = fixed.get(workloadLeaf) ?? []
  fixed.delete(workloadLeaf)
  const used = [...new Set(grant.identity.flat().flatMap((part) => ('leaf' in part ? [part.leaf] : [])))].filter(
    (leaf) => fixed.has(leaf),
  )
  const sizeOf = (leaf: WidLeaf) => fixed.get(leaf)?.length ?? 1
  while (used.reduce((product, leaf) => product * sizeOf(leaf), 1) > READINGS_MAX) {
    const widest = used.reduce((a, b) => (sizeOf(b) > sizeOf(a) ? b : a))
    used.splice(used.indexOf(widest), 1)
  }
  let choices: ReadonlyMap<WidLeaf, string>[] = [new Map()]
  for (const leaf of used)
    choices = choices.flatMap((chosen) => (fixed.get(leaf) ?? []).map((value) => new Map([...chosen, [leaf, value]])))
  return projects.flatMap((project) =>
    choices.flatMap((chosen) => {
      const segments = segmentsOf(grant, new Map([...chosen, [workloadLeaf, project]]))
      if (segments === null) return []
      const isLiteral = segments.every((parts) => parts.every((part) => typeof part === 'string'))
      const literal = isLiteral ? segments.map((parts) => parts.join('')).join('/') : null
      return [{ grant: grant.name, workload: `${issuer.issuer}\0${project}`, segments, literal }]
    }),
  )
}

/** Leaves that can have only these values where the grant matches. */
const fixedValues = (grant: GrantRule, issuer: IssuerConfig): Map<WidLeaf, readonly string[]> => {
  const fixed = new Map<WidLeaf, readonly string[]>([['provider', [issuer.provider]]])
  if (issuer.orgIds !== null) fixed.set('org.id', issuer.orgIds)
  for (const { leaf, matcher } of grant.conditions) {
    if (matcher.kind === 'equals' && typeof matcher.value === 'string') fixed.set(leaf, [matcher.value])
    if (matcher.kind === 'any_of') fixed.set(leaf, matcher.values)
  }
  return fixed
}

/** Null when a fixed value is no usable text: this reading never becomes an identity. */
const segmentsOf = (grant: GrantRule, values: ReadonlyMap<WidLeaf, string>): (readonly GlobPart[])[] | null => {
  const segments: GlobPart[][] = []
  for (const parts of grant.identity) {
    const segment: GlobPart[] = []
    for (const part of parts) {
      const text = 'literal' in part ? part.literal : values.get(part.leaf)
      if (text === undefined) segment.push(3, 1)
      else if (USABLE.test(text)) segment.push(text)
      else return null
    }
    segments.push(segment)
  }
  return segments
}
