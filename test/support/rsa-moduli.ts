// RSA moduli with a chosen defect, as base64url. None of them has a known private key, or needs one.
import { encodePart } from './jws.ts'

const SMALL_PRIMES = [
  2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
  113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
]

const bytesOf = (value: bigint): Buffer => {
  const hex = value.toString(16)
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
}

/** A modulus of the form Infineon's library made (CVE-2017-15361): a power of 65537 modulo the product of small primes. */
export const rocaModulus = (bits: number): string => {
  const product = SMALL_PRIMES.reduce((all, prime) => all * BigInt(prime), 1n)
  let power = 1n
  for (let i = 0; i < 12_345; i += 1) power = (power * 65_537n) % product
  const top = 1n << BigInt(bits - 1)
  return encodePart(bytesOf((top / product + 1n) * product + power))
}

/** An odd number of exactly so many bits. */
export const modulusOf = (bits: number): string => encodePart(bytesOf((1n << BigInt(bits - 1)) + 1n))
