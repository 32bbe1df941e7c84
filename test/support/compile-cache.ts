// Brokers and commands that tests start are the same 300 files each time: Node keeps their types stripped and their code compiled,
// by the hash of what is in them, and a process starts in half the CPU time.
import { resolve } from 'node:path'

/** For every process that inherits the environment. */
export const compileCache = (): void => {
  process.env['NODE_COMPILE_CACHE'] ??= resolve('node_modules/.cache/compiled')
}
