// A row becomes a signer. Whatever vault opened it, the key is the one its kid names: the kid is the thumbprint of the public
// key, so a vault need not bind it, and two sealed halves exchanged between rows are noticed here.
import { createPrivateKey, hash, KeyObject, sign as signDer } from 'node:crypto'
import type { OwnAlgorithm, SigningKey } from '../../domain/signing-key.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { KeyVault, OpenedKey } from '../../ports/signing-keys.ts'
import { isOfAlgorithm, type PublicMembers, publicKeyOf, publicMembers, thumbprintOf } from './public-key.ts'
import { rawSignature } from './raw-signature.ts'

/** A bare KeyObject where the key is here: options objects around it cost 2-3 times as much. */
export type Signer = KeyObject | RemoteSigner

/** A key that signs in its own service. A class, so that a handle from elsewhere is not taken for one. */
export class RemoteSigner {
  readonly sign: Extract<OpenedKey, { kind: 'elsewhere' }>['sign']
  constructor(sign: RemoteSigner['sign']) {
    this.sign = sign
  }
}

export type Opened = { readonly signer: Signer; readonly members: PublicMembers }

/** Throws what the vault throws, and a TypeError when what it opened is not the key of this kid and algorithm. */
export const openKey = async (vault: KeyVault, row: SigningKey): Promise<Opened> => {
  const opened = await vault.open(row)
  const signer = signerOf(opened)
  const members = publicMembers(opened.kind === 'here' ? (signer as KeyObject) : publicKeyOf(opened.publicKey))
  if (thumbprintOf(members) !== row.kid || !isOfAlgorithm(members, row.alg))
    throw new TypeError('what was opened is another key')
  return { signer, members }
}

const signerOf = (opened: OpenedKey): Signer => {
  if (opened.kind === 'elsewhere') return new RemoteSigner(opened.sign)
  const { pkcs8 } = opened
  try {
    const key = Buffer.from(pkcs8.buffer, pkcs8.byteOffset, pkcs8.byteLength)
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  } finally {
    pkcs8.fill(0)
  }
}

/** JWS signature, base64url: at once, or as a promise where the signer is remote. */
export const signWith = (signer: Signer, alg: OwnAlgorithm, signingInput: string): string | Promise<string> => {
  const data = Buffer.from(signingInput, 'latin1')
  const isHashed = alg !== 'Ed25519'
  if (signer instanceof KeyObject) return encode(alg, signDer(isHashed ? 'sha256' : null, data, signer))
  return signer
    .sign(isHashed ? hash('sha256', data, 'buffer') : data)
    .then((signature) => encode(alg, Buffer.from(signature)))
}

const encode = (alg: OwnAlgorithm, signature: Buffer): string =>
  (alg === 'ES256' ? rawSignature(signature) : signature).toString('base64url')

/** A key that does not open is the broker's trouble, never the caller's: 503, and the operator finds the cause in the log. */
export const orUnavailable = async <T>(open: () => Promise<T>): Promise<T> => {
  try {
    return await open()
  } catch (error) {
    throw error instanceof Unavailable ? error : new Unavailable('signing_key_unavailable', undefined, { cause: error })
  }
}
