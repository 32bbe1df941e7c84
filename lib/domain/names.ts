// The forms of names and ids that are ours, as sources of regular expressions: what a path, an invocation and a document may call
// a thing is spelled once. All of them are safe in a path, a key of a row and a file name.

/** A tenant: 3 to 31 characters, so none of `#`, `*`, `/`. */
export const TENANT_NAME = '[a-z][a-z0-9]{2,30}'

/** An issuer, grant, sink or receiver of a tenant document. */
export const ENTRY_NAME = '[a-z][a-z0-9_-]{0,62}'

/** A decision, credential, order or errand (RFC 9562). */
export const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'

/** Matches all of a text. */
export const whole = (...sources: readonly string[]): RegExp => new RegExp(`^${sources.join('')}$`)
