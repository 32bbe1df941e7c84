// What changed between two documents, one line a leaf, for people who review an apply. Pure.
import type { JsonValue } from './claims.ts'

/** `+ path = value`, `- path = value`, `~ path: old -> new`, in the order of paths. */
export const documentDiff = (before: JsonValue, after: JsonValue): readonly string[] => {
  const old = leavesOf(before)
  const now = leavesOf(after)
  const lines: string[] = []
  for (const path of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const was = old.get(path)
    const is = now.get(path)
    if (was === undefined) lines.push(`+ ${path} = ${is}`)
    else if (is === undefined) lines.push(`- ${path} = ${was}`)
    else if (was !== is) lines.push(`~ ${path}: ${was} -> ${is}`)
  }
  return lines
}

const leavesOf = (value: JsonValue, path = '', leaves = new Map<string, string>()): Map<string, string> => {
  if (typeof value !== 'object' || value === null) return leaves.set(path, JSON.stringify(value))
  const members = Object.entries(value)
  if (members.length === 0) return leaves.set(path, Array.isArray(value) ? '[]' : '{}')
  for (const [name, member] of members) leavesOf(member, path === '' ? name : `${path}.${name}`, leaves)
  return leaves
}
