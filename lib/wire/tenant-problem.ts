// What is wrong with a tenant document, and where: the same shape for YAML, schema and meaning, for errors and warnings. Pure.
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

/** `tenants/acme.yaml:12:7: message` */
export const formatProblem = ({ file, line, column, message }: TenantProblem): string =>
  `${file}:${line}:${column}: ${message}`
