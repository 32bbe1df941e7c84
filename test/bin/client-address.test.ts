import { expect, test } from 'vitest'
import { createClientOf, createHostAllowed } from '../../bin/embedded/client-address.ts'

test('without trusted proxies forwarding headers are ignored', () => {
  expect(createClientOf([])('192.0.2.1', '203.0.113.9')).toBe('192.0.2.1')
})

test('row 67: a header from an address that is no proxy of ours is ignored', () => {
  expect(createClientOf(['10.0.0.0/8'])('192.0.2.1', '203.0.113.9')).toBe('192.0.2.1')
})

test.each([
  ['203.0.113.9', '203.0.113.9'],
  ['198.51.100.7, 203.0.113.9', '203.0.113.9'],
  ['203.0.113.9, 10.1.1.1', '203.0.113.9'],
  ['spoofed, 203.0.113.9', '203.0.113.9'],
  ['198.51.100.7:50123, 203.0.113.9:50124', '203.0.113.9'],
  ['[2001:db8::1]:50124', '2001:db8::1'],
  ['2001:db8::1', '2001:db8::1'],
  ['garbage', '10.0.0.2'],
  ['203.0.113.9:x', '10.0.0.2'],
  ['', '10.0.0.2'],
])('behind a proxy the nearest hop it did not add is the client: "%s"', (header, client) => {
  expect(createClientOf(['10.0.0.0/8'])('10.0.0.2', header)).toBe(client)
})

test('an IPv4-mapped socket address is the IPv4 proxy', () => {
  expect(createClientOf(['10.0.0.0/8'])('::ffff:10.0.0.2', '203.0.113.9')).toBe('203.0.113.9')
})

test.each([
  ['localhost:8080', true],
  ['127.0.0.1', true],
  ['[::1]:9', true],
  ['sts.test:9443', true],
  ['sts.test', false],
  ['evil.example', false],
  ['127.0.0.1.evil.example', false],
  [undefined, false],
])('under --dev the Host %s is answered: %s', (host, isAllowed) => {
  expect(createHostAllowed('http://sts.test:9443')(host)).toBe(isAllowed)
})
