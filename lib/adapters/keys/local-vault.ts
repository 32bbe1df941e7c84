// The vault of a broker that keeps its own keys: pairs are made here and sealed at once under the master key, with what they
// belong to as associated data. A row that was moved, renamed or relabelled does not open.
import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import type { OwnAlgorithm, SigningKey } from '../../domain/signing-key.ts'
import type { KeyPairs, KeyVault } from '../../ports/signing-keys.ts'
import type { AesSealer } from './aes-sealer.ts'
import { publicMembers, thumbprintOf } from './public-key.ts'

const generate = promisify(generateKeyPair)

const newKeyPair = (alg: OwnAlgorithm) =>
  alg === 'ES256'
    ? generate('ec', { namedCurve: 'P-256' })
    : alg === 'Ed25519'
      ? generate('ed25519')
      : generate('rsa', { modulusLength: 2048, publicExponent: 0x10001 })

export type LocalVault = KeyPairs &
  KeyVault & {
    /** Whether the private half of a key can be had under this master key. */
    opens(key: SigningKey): boolean
  }

export const createLocalVault = (sealer: AesSealer): LocalVault => ({
  async generate({ tenant, use, alg }) {
    const { privateKey, publicKey } = await newKeyPair(alg)
    const kid = thumbprintOf(publicMembers(publicKey))
    const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' })
    try {
      const sealed = sealer.seal(pkcs8, keyAssociatedData({ tenant, kid, alg, use }))
      return { publicKey: publicKey.export({ format: 'der', type: 'spki' }), sealed }
    } finally {
      pkcs8.fill(0)
    }
  },
  open: (key) => ({ kind: 'here', pkcs8: sealer.open(key.sealed, keyAssociatedData(key)) }),
  opens(key) {
    try {
      sealer.open(key.sealed, keyAssociatedData(key)).fill(0)
      return true
    } catch {
      return false
    }
  },
  sealSecret: (tenant, secret) => sealer.seal(secret, secretAssociatedData(tenant)),
  openSecret: (tenant, sealed) => sealer.open(sealed, secretAssociatedData(tenant)),
})

// JSON, because a separator that may occur in a value would let two rows share one encoding.
const keyAssociatedData = ({ tenant, kid, alg, use }: Pick<SigningKey, 'tenant' | 'kid' | 'alg' | 'use'>): string =>
  JSON.stringify(['mintmark signing key 1', tenant, kid, alg, use])

const secretAssociatedData = (tenant: string): string => JSON.stringify(['mintmark feed secret 1', tenant])
