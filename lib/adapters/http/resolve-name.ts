// The addresses of a name, found where getaddrinfo would look: hosts file, then DNS, then its search list. Promises: it holds no
// thread of the process and ends in time. getaddrinfo takes one of very few threads and cannot be called off, so that a tenant whose
// names nobody answers for would stop the lookups of everybody else.
import { Resolver } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { LIMITS } from '../../domain/limits.ts'

/** All addresses of a name, in the order to try them; none, or a rejection, when it has none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>

export type ResolveOptions = {
  readonly hostsFile?: string
  readonly resolvConf?: string
  /** `address:port` of name servers; default: those of the machine. */
  readonly servers?: readonly string[]
}

/** RFC 6761 §6.3: never asked of a name server, whose answer would be somebody else's. */
const LOCALHOST = /^(?:.*\.)?localhost$/

export const createResolve = (options: ResolveOptions = {}): Resolve => {
  const { hostsFile = '/etc/hosts', resolvConf = '/etc/resolv.conf', servers } = options
  return async (hostname) => {
    const listed = addressesIn(await linesOf(hostsFile), hostname)
    if (listed.length > 0) return listed
    if (LOCALHOST.test(hostname)) return ['127.0.0.1', '::1']
    const suffixes = searchListIn(await linesOf(resolvConf))
    // One for each name, or to call off one would be to call off all.
    const dns = new Resolver({ timeout: LIMITS.lookupTryMs, tries: LIMITS.lookupTries })
    if (servers !== undefined) dns.setServers(servers)
    let isOver = false
    const timer = setTimeout(() => {
      isOver = true
      dns.cancel()
    }, LIMITS.lookupMs)
    try {
      for (const name of [hostname, ...suffixes.map((suffix) => `${hostname}.${suffix}`)]) {
        const addresses = await ask(dns, name)
        if (addresses.length > 0 || isOver) return addresses
      }
      return []
    } finally {
      clearTimeout(timer)
    }
  }
}

/** A name may well be of one family only. */
const ask = async (dns: Resolver, name: string): Promise<string[]> => {
  const families = await Promise.allSettled([dns.resolve4(name), dns.resolve6(name)])
  return families.flatMap((family) => (family.status === 'fulfilled' ? family.value : []))
}

/** Words by line, without comments. A machine need not have the file. */
const linesOf = async (path: string): Promise<string[][]> => {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.split('\n').map((line) =>
    line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/),
  )
}

const addressesIn = (hosts: readonly string[][], hostname: string): string[] =>
  hosts.flatMap(([address, ...names]) =>
    address !== undefined && names.some((name) => name.toLowerCase() === hostname) ? [address] : [],
  )

/** resolv.conf(5): the last line counts. */
const searchListIn = (conf: readonly string[][]): string[] =>
  conf.findLast(([word]) => word === 'search' || word === 'domain')?.slice(1) ?? []
