// The three NIST curves (SP 800-186): sizes, orders, and whether a point is on its curve, which stops keys off the curve
// before any library sees them (attacks row 18). Public values only, so nothing here needs constant time. Pure.

export type CurveName = 'P-256' | 'P-384' | 'P-521'

type Curve = {
  /** Bytes of one coordinate, and of one half of a signature. */
  readonly bytes: number
  /** Prime of the field: y^2 = x^3 - 3x + b. */
  readonly p: bigint
  readonly b: bigint
  /** Order of the group: a signature's r and s are below it. */
  readonly n: bigint
}

export const CURVES: { readonly [name in CurveName]: Curve } = {
  'P-256': {
    bytes: 32,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  'P-384': {
    bytes: 48,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  'P-521': {
    bytes: 66,
    p: 2n ** 521n - 1n,
    b: 0x51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
    n: 0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  },
}

export const isCurveName = (name: unknown): name is CurveName => typeof name === 'string' && Object.hasOwn(CURVES, name)

/** A big-endian number. */
export const toBigInt = (bytes: Uint8Array): bigint => {
  let hex = '0x0'
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return BigInt(hex)
}

export const isOnCurve = (name: CurveName, xBytes: Uint8Array, yBytes: Uint8Array): boolean => {
  const { p, b } = CURVES[name]
  const x = toBigInt(xBytes)
  const y = toBigInt(yBytes)
  return x < p && y < p && (y * y - (x * x * x - 3n * x + b)) % p === 0n
}
