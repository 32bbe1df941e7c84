// What is wrong with a tenant document, and where: the same shape for YAML, schema and meaning, for errors and warnings. Pure.
import { oneLine } from '../domain/canonical-json.ts'
import type { TenantDocument } from './tenant-document.ts'

export type DocumentPath = readonly (string | number)[]

/** Line and column are 1-based. `path` is for machines: names joined by " › ". */
export type TenantProblem = {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly path: string
  readonly message: string
}

/** A document that fits the schema, and the way back to its text. */
export type LoadedTenant = {
  readonly file: string
  readonly document: TenantDocument
  /** A problem at the nearest place of the text that exists; at the key, where the last step names one. */
  readonly problemAt: (path: DocumentPath, message: string) => TenantProblem
}

// Beyond what oneLine escapes: what a terminal obeys (attacks row 65). Messages quote what a document says.
const CONTROLS = /\p{Cc}/gu

/** `tenants/acme.yaml:12:7: message`, as one line that is safe to print. */
export const formatProblem = ({ file, line, column, message }: TenantProblem): string =>
  oneLine(`${file}:${line}:${column}: ${message}`).replace(
    CONTROLS,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
