// Who is asking: the socket's address, or, behind proxies the operator named, the nearest hop they did not add. A header from
// anybody else is ignored: otherwise limits by source could be dodged or turned against others (attacks row 67).
import ipaddr from 'ipaddr.js'

type Range = ReturnType<typeof ipaddr.parseCIDR>

/** Throws for text that is not a CIDR range: wrong usage. */
export const createClientOf = (
  trustedProxies: readonly string[],
): ((socketAddress: string, forwardedFor: string | undefined) => string) => {
  const ranges: readonly Range[] = trustedProxies.map((text) => ipaddr.parseCIDR(text))
  const isTrusted = (address: string): boolean => {
    if (!ipaddr.isValid(address)) return false
    const ip = ipaddr.process(address) // IPv4-mapped IPv6 becomes IPv4
    return ranges.some((range) => range[0].kind() === ip.kind() && ip.match(range))
  }
  return (socketAddress, forwardedFor) => {
    if (ranges.length === 0 || forwardedFor === undefined || !isTrusted(socketAddress)) return socketAddress
    let client = socketAddress
    // Right to left: each hop vouches for the one before it, as long as it is ours.
    for (const hop of forwardedFor.split(',').reverse()) {
      const address = withoutPort(hop.trim())
      if (!ipaddr.isValid(address)) return client
      client = address
      if (!isTrusted(address)) return client
    }
    return client
  }
}

/** Some proxies (Azure Application Gateway) write the port too: `203.0.113.9:50123`, `[2001:db8::1]:50123`. */
const withoutPort = (hop: string): string => {
  const [, v4, v6] = /^(?:([0-9.]+)|\[([0-9a-f:.]+)\]):[0-9]{1,5}$/i.exec(hop) ?? []
  return v4 ?? v6 ?? hop
}

/** Under --dev: loopback names and addresses, and the base URL's own host. Stops DNS rebinding of a browser on this machine. */
export const createHostAllowed = (baseUrl: string): ((host: string | undefined) => boolean) => {
  const own = new URL(baseUrl).host
  return (host) => {
    if (host === undefined) return false
    const name = host.toLowerCase().replace(/:\d+$/, '')
    return host.toLowerCase() === own || name === 'localhost' || name === '127.0.0.1' || name === '[::1]'
  }
}
