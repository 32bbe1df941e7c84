// What the system said, in words for the person at the terminal; never more of the error than its code.

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  ENOTDIR: 'it is no directory',
  EEXIST: 'it is no directory',
  EISDIR: 'it is a directory',
  EACCES: 'not allowed',
  EPERM: 'not allowed',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
  EADDRINUSE: 'another program listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
}

/** The first cause that has a code; '' where none has. SQLite has constant texts of its own. */
export const wordsOf = (error: unknown): string => {
  if (!(error instanceof Error)) return ''
  const { code, errstr } = error as Error & { readonly code?: unknown; readonly errstr?: unknown }
  if (typeof errstr === 'string') return errstr
  return typeof code === 'string' ? (WORDS[code] ?? code) : wordsOf(error.cause)
}
