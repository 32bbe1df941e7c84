// Runs a command that finds its credential through its environment and nowhere else: not in its arguments, which every user of
// the machine can read. Its exit code and its signals are passed on.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/** The command's exit code; 128 + n when signal n ended it; 127 not found, 126 not to be run, as a shell has them. */
export const runCommand = (
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> => {
  const [file, ...args] = command
  const child = spawn(file, args, { stdio: 'inherit', env: { ...env } })
  // A terminal sends Ctrl-C to the whole group: passing it on would be the second one, which many programs take for "now".
  const pass = (signal: NodeJS.Signals) => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, pass)
  return new Promise<number>((resolve) => {
    child.once('error', (error) => resolve('code' in error && error.code === 'ENOENT' ? 127 : 126))
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
  }).finally(() => {
    for (const signal of signals) process.off(signal, pass)
  })
}
