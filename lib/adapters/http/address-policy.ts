// Which addresses the broker may connect to (issuers.md §0.10; attacks A5, A14): public unicast, and what the operator's
// --egress-allow names. Judged after a name was resolved, on the very addresses that will be dialled. A list of what is
// public would be out of date in the safe direction, so whatever ipaddr.js does not call unicast is refused. Pure.
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Range = readonly [Address, number]

export type AddressPolicy = {
  /** True when the address must not be dialled. Anything that is not one plain IP address is forbidden. */
  readonly isForbidden: (address: string) => boolean
  /** 127.0.0.0/8 and ::1, the only addresses of http under --dev. */
  readonly isLoopback: (address: string) => boolean
}

/** Throws a TypeError that names the range when one is not a CIDR: that is the operator's own command line. */
export const createAddressPolicy = (egressAllow: readonly string[]): AddressPolicy => {
  const allowed = egressAllow.map(rangeOf)
  const isAllowed = (address: Address): boolean => {
    const cover = allowed.filter((range) => isWithin(address, range))
    // A whole private network may be meant, its metadata service never is: that takes the address itself.
    return METADATA.some((range) => isWithin(address, range)) ? cover.some(isSingle) : cover.length > 0
  }
  return {
    isForbidden: (text) => {
      const address = parseAddress(text)
      if (address === null) return true
      if (!isAllowed(address)) return !isPublic(address)
      // An allowed NAT64 prefix leads to whatever IPv4 address is written into it.
      const embedded = embeddedIpv4(address)
      return embedded !== null && !isAllowed(embedded) && !isPublic(embedded)
    },
    isLoopback: (text) => parseAddress(text)?.range() === 'loopback',
  }
}

const parseAddress = (text: string): Address | null =>
  isIP(text) === 0 || text.includes('%') ? null : ipaddr.parse(text)

const rangeOf = (text: string): Range => {
  const [address = '', prefix = '', ...rest] = text.split('/')
  const parsed = parseAddress(address)
  const isPrefix = /^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (parsed?.kind() === 'ipv4' ? 32 : 128)
  if (parsed === null || !isPrefix || rest.length > 0) throw new TypeError(`not an address range: ${text}`)
  return [parsed, Number(prefix)]
}

const isWithin = (address: Address, [network, prefix]: Range): boolean =>
  address.kind() === network.kind() && (address as ipaddr.IPv4).match(network as ipaddr.IPv4, prefix)

const isSingle = ([network, prefix]: Range): boolean => prefix === (network.kind() === 'ipv4' ? 32 : 128)

const isPublic = (address: Address): boolean => {
  if (address.range() !== 'unicast') return false
  if (address.kind() === 'ipv6' && !isWithin(address, GLOBAL_UNICAST)) return false
  return !FORBIDDEN.some((range) => isWithin(address, range)) && !METADATA.some((range) => isWithin(address, range))
}

/** Of the lists below: what is not a range is seen by every test, so none of the strictness that costs a cold start its time. */
const listed = (range: string): Range => ipaddr.parseCIDR(range)

const GLOBAL_UNICAST = listed('2000::/3')

/** What matters and must not depend on a library's table; most of it is outside `unicast` there too. */
const FORBIDDEN: readonly Range[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Teredo, ORCHID, benchmarking and their neighbours; documentation; 6to4; documentation again; SRv6.
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
].map(listed)

/** Instance metadata, credentials of tasks and pods, and the host agent of Azure, which has a public address. */
const METADATA: readonly Range[] = [
  '169.254.169.254/32',
  '169.254.170.2/32',
  '169.254.170.23/32',
  '100.100.100.200/32',
  '192.0.0.192/32',
  '168.63.129.16/32',
  'fd00:ec2::254/128',
  'fd00:ec2::23/128',
  'fd20:ce::254/128',
].map(listed)

const NAT64: readonly Range[] = ['64:ff9b::/96', '64:ff9b:1::/48'].map(listed)

/** The last 32 bits of a NAT64, IPv4-mapped or IPv4-compatible address; null for any other. RFC 6052 §2.2, RFC 4291 §2.5.5 */
const embeddedIpv4 = (address: Address): ipaddr.IPv4 | null => {
  if (address.kind() === 'ipv4') return null
  const bytes = address.toByteArray()
  const isZeroLed = bytes.slice(0, 10).every((byte) => byte === 0)
  if (!isZeroLed && !NAT64.some((range) => isWithin(address, range))) return null
  if (address.range() === 'loopback') return null
  return new ipaddr.IPv4(bytes.slice(12))
}
