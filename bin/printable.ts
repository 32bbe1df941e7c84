// Text that came from a claim or an operator, for a terminal: as it is only when it cannot write to one.
import { quoted } from '../lib/domain/quoted.ts'

const PRINTABLE = /^[\x20-\x7e]*$/

export const printable = (text: string): string => (PRINTABLE.test(text) ? text : quoted(text))
