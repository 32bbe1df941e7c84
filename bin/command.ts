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

/** Longer than any option of one letter: key ids and digests are base64url, and one in 64 begins with a dash. */
const DASHED_VALUE = /^-[A-Za-z0-9_-]{15,}$/

/** `--own-key -x…` as `--own-key=-x…`, and a lone `-x…` after `--`: what begins with a dash is a value where it can be no option. */
const spelledOut = (argv: readonly string[], options: Options): string[] => {
  const args: string[] = []
  const lone: string[] = []
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length
  for (const arg of argv.slice(0, end)) {
    const before = args.at(-1) ?? ''
    if (!DASHED_VALUE.test(arg) || arg.startsWith('--')) args.push(arg)
    else if (options[before.replace(/^--/, '')]?.type === 'string') args.push(`${args.pop()}=${arg}`)
    else lone.push(arg)
  }
  const rest = [...lone, ...argv.slice(end + 1)]
  return rest.length === 0 ? args : [...args, '--', ...rest]
}

/** Strict options; --help and --json come with every command. An unknown option is wrong usage. */
export const readOptions = <const O extends Options>(argv: readonly string[], options: O) =>
  parseArgs({
    args: spelledOut(argv, options),
    options: { ...options, help: { type: 'boolean' as const, short: 'h' }, json: { type: 'boolean' as const } },
    allowPositionals: true,
    strict: true,
  })

/** An option that must be there. */
export const required = (value: string | undefined, name: string): string => {
  if (value === undefined || value === '') throw new UsageError(`--${name} is required`)
  return value
}
