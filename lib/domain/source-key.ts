// Whom a limit is charged to: an IPv4 address, or the /64 of an IPv6 one, which is what one subscriber has. However an address is
// written (RFC 4291 §2.2), one /64 is one source, and two are two. Pure.

const GROUPS = 8

export const sourceKey = (ip: string): string => {
  // Of IPv4 nothing can be written otherwise.
  if (!ip.includes(':') && !ip.includes('%')) return ip
  const [address = ''] = ip.toLowerCase().split('%')
  if (!address.includes(':')) return address
  const groups = groupsOf(address)
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (isMapped) return [groups[6]! >> 8, groups[6]! & 0xff, groups[7]! >> 8, groups[7]! & 0xff].join('.')
  const network = groups.slice(0, 4).map((group) => group.toString(16))
  return `${network.join(':')}::/64`
}

/** All eight of them: `::` stands for as many zeros as are missing. */
const groupsOf = (address: string): number[] => {
  const [before = [], after] = address.split('::').map(words)
  if (after === undefined) return before
  return [...before, ...Array<number>(Math.max(0, GROUPS - before.length - after.length)).fill(0), ...after]
}

/** The last 32 bits may be written as an IPv4 address. */
const words = (part: string): number[] =>
  part
    .split(':')
    .filter((word) => word !== '')
    .flatMap((word) => {
      if (!word.includes('.')) return [Number.parseInt(word, 16)]
      const [a = 0, b = 0, c = 0, d = 0] = word.split('.').map(Number)
      return [a * 256 + b, c * 256 + d]
    })
