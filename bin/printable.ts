// Text that came from a claim or an operator, for a terminal: as it is only when it cannot write to one.
const PRINTABLE = /^[\x20-\x7e]*$/

export const printable = (text: string): string => (PRINTABLE.test(text) ? text : JSON.stringify(text))
