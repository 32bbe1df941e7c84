// What a command writes, kept.
import type { Io } from '../../bin/command.ts'

export const captureIo = (env: Io['env'] = {}): Io & { readonly out: () => string; readonly err: () => string } => {
  let out = ''
  let err = ''
  return {
    stdout: {
      write: (text: string) => {
        out += text
      },
    },
    stderr: {
      write: (text: string) => {
        err += text
      },
    },
    env,
    out: () => out,
    err: () => err,
  }
}
