// Colour for terminals, and only for them: text in a file or a pipe stays plain. NO_COLOR is honoured.
import type { Io } from '../command.ts'

export type Paint = {
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly dim: (text: string) => string
  readonly bold: (text: string) => string
}

export const painter = ({ stdout, env }: Io): Paint => {
  const isColoured = stdout.isTTY === true && env['NO_COLOR'] === undefined
  const paint = (code: number) => (text: string) => (isColoured ? `\u001b[${code}m${text}\u001b[0m` : text)
  return { good: paint(32), bad: paint(31), dim: paint(2), bold: paint(1) }
}
