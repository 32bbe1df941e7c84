// Sources of requests against ipaddr.js's reading of the same address, however it is written.
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { expect, test } from 'vitest'
import { sourceKey } from '../../lib/domain/source-key.ts'

test('IPv4 is charged by address, also when mapped; IPv6 by its /64, also where :: stands within it', () => {
  const keys = {
    '192.0.2.7': '192.0.2.7',
    '::ffff:192.0.2.7': '192.0.2.7',
    '::FFFF:c000:207': '192.0.2.7',
    '0:0:0:0:0:ffff:192.0.2.7': '192.0.2.7',
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
    '2001:db8:1:2:ffff::1': '2001:db8:1:2::/64',
    '2001:db8::1:2:3:4': '2001:db8:0:0::/64',
    '2001:DB8::1': '2001:db8:0:0::/64',
    '::1': '0:0:0:0::/64',
    'fe80::1%eth0': 'fe80:0:0:0::/64',
  }
  expect(Object.fromEntries(Object.keys(keys).map((ip) => [ip, sourceKey(ip)]))).toEqual(keys)
})

test('one /64 is one source and another is another, in every spelling', () => {
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 })
  // Many zeros, so that there is something to leave out.
  const sparse = fc.tuple(bytes, fc.array(fc.nat(7), { maxLength: 8 })).map(([all, zeros]) => {
    for (const at of zeros) all.fill(0, at * 2, at * 2 + 2)
    return [...all]
  })
  const networkOf = (address: ipaddr.IPv6) => address.toByteArray().slice(0, 8).join('.')
  let runs = 0
  fc.assert(
    fc.property(sparse, sparse, (one, other) => {
      const [a, b] = [new ipaddr.IPv6(one), new ipaddr.IPv6(other)]
      if (a.isIPv4MappedAddress() || b.isIPv4MappedAddress()) return
      runs += 1
      const padded = a.parts.map((part) => part.toString(16).padStart(4, '0')).join(':')
      const keys = [a.toString(), a.toNormalizedString(), padded].map(sourceKey)
      expect(new Set(keys).size).toBe(1)
      expect(sourceKey(b.toString()) === keys[0]).toBe(networkOf(a) === networkOf(b))
    }),
  )
  expect(runs).toBeGreaterThan(50)
})
