// Whose certificates a function believes. One that calls nobody but AWS believes the roots of Amazon Trust Services
// (amazon-roots.pem, the five of https://www.amazontrust.com/repository/), and none of the 140 others that Node knows: those would also be
// parsed with each cold start, a sixth of it.
import type { FunctionName } from './names.ts'

/** They call hosts that documents name. */
const BEYOND_AWS: readonly string[] = ['trust', 'push', 'deliver'] satisfies FunctionName[]

export const callsAwsAlone = (fn: string): boolean => !BEYOND_AWS.includes(fn)

/** In the zip, which Lambda unpacks into /var/task. */
export const AMAZON_ROOTS = 'amazon-roots.pem'

/** Read by Node and OpenSSL at the start of the process; no code of ours looks at them. */
export const trustedRoots = (fn: FunctionName): Readonly<Record<string, string>> =>
  callsAwsAlone(fn) ? { NODE_OPTIONS: '--use-openssl-ca', SSL_CERT_FILE: `/var/task/${AMAZON_ROOTS}` } : {}
