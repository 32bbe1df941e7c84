import { expect, test } from 'vitest'
import { readOptions } from '../../bin/command.ts'

const KID = '-x3vQ0bYb9K1pC2qHkz8d3mE4tZ5uJ6wL7nR8sT9vA0'
const read = (...argv: string[]) => readOptions(argv, { kid: { type: 'string' }, cut: { type: 'boolean' } })

test('a key id that begins with a dash, as one in 64 does, is a value and no option', () => {
  expect(read('--kid', KID, '--cut').values).toMatchObject({ kid: KID, cut: true })
  expect(read('taint', KID, '--cut')).toMatchObject({ positionals: ['taint', KID], values: { cut: true } })
  expect(read('--cut', KID, 'taint').positionals).toEqual(['taint', KID])
  expect(read('taint', '--', KID, '--cut')).toMatchObject({ positionals: ['taint', KID, '--cut'], values: {} })
})

test('an option that does not exist stays wrong usage, long or short', () => {
  expect(() => read('--kidd', 'x')).toThrow()
  expect(() => read('-x')).toThrow()
  expect(() => read('--an-option-of-nobody-at-all')).toThrow()
})
