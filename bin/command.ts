// What a command is, and the two things every command does: read its options, print its answer.
import { type ParseArgsConfig, parseArgs } from 'node:util'

export type Io = {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean }
  readonly stderr: { write(text: string): unknown }
  readonly env: Readonly<Record<string, string | undefined>>
}

export type Command = { run(argv: readonly string[], io: Io): Promise<number> }

/** Wrong usage: exit 2. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>

/** Strict options; --help and --json come with every command. An unknown option is wrong usage. */
export const readOptions = <const O extends Options>(argv: readonly string[], options: O) =>
  parseArgs({
    args: [...argv],
    options: { ...options, help: { type: 'boolean' as const, short: 'h' }, json: { type: 'boolean' as const } },
    allowPositionals: true,
    strict: true,
  })

/** An option that must be there. */
export const required = (value: string | undefined, name: string): string => {
  if (value === undefined || value === '') throw new UsageError(`--${name} is required`)
  return value
}
