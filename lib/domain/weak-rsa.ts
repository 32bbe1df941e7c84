// The fingerprint of ROCA (CVE-2017-15361): moduli made by Infineon's library can be factored. Pure.

const ROCA_PRIMES = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
  127, 131, 137, 139, 149, 151, 157, 163, 167,
]

/** Residues of 65537^i modulo a prime. Worked out when a key is judged: no start waits for it. */
const powersOf65537 = (prime: number): ReadonlySet<number> => {
  const powers = new Set<number>()
  for (let power = 1; !powers.has(power); power = (power * 65_537) % prime) powers.add(power)
  return powers
}

/**
 * Whether a modulus (big-endian) has the form of a ROCA key: both factors, and so the modulus, are powers of 65537 modulo
 * every small prime (Nemec et al., CCS 2017, §3). By chance that happens to 1 honest modulus in some 10^8.
 */
export const isRocaModulus = (modulus: Uint8Array): boolean =>
  ROCA_PRIMES.every((prime) => {
    let remainder = 0
    for (const byte of modulus) remainder = (remainder * 256 + byte) % prime
    return powersOf65537(prime).has(remainder)
  })
