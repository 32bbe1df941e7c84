// Signs the assertions of a run: RS256-2048, GitHub's claims (issuers.md §2.1), about 1.25 KB, each with its own jti, each
// form body of one length, so that the generator finds body n by offset. Worker threads use both cores (0.4 ms each).
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { closeSync, ftruncateSync, openSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { JSONWebKeySet } from 'jose'

export const ISSUER = 'https://token.actions.githubusercontent.com'
export const TARGET = 'https://deploy.acme.example'
const KID = '38826B17-6A30-5F9B-B169-8BEB8202F723'

export type IssuerKey = { readonly privateKey: KeyObject; readonly kid: string; readonly jwks: JSONWebKeySet }

export const makeIssuerKey = (): IssuerKey => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    privateKey,
    kid: KID,
    jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KID, alg: 'RS256', use: 'sig' }] },
  }
}

/** What one signing thread gets: it writes bodies `first` to `first + count` into `file`. */
export type PresignShare = {
  readonly pem: string
  readonly kid: string
  readonly audience: string
  readonly file: string
  readonly first: number
  readonly count: number
}

export type Presigned = {
  readonly file: string
  readonly bodyLength: number
  readonly count: number
  readonly seconds: number
}

const sign = (share: PresignShare): Promise<number> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./presign-worker.ts', import.meta.url), { workerData: share })
    worker.once('message', (bodyLength: number) => resolve(bodyLength))
    worker.once('error', reject)
  })

/** Signs `count` bodies into `file`. They live 300 s from now: use them within that, and sign anew for a later window. */
export const presign = async (key: IssuerKey, audience: string, file: string, count: number): Promise<Presigned> => {
  const began = performance.now()
  const descriptor = openSync(file, 'w', 0o600)
  ftruncateSync(descriptor, 0)
  closeSync(descriptor)
  const pem = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const threads = Math.min(availableParallelism(), 4)
  const shares = Array.from({ length: threads }, (_, i) => {
    const first = Math.floor((count * i) / threads)
    return { pem, kid: key.kid, audience, file, first, count: Math.floor((count * (i + 1)) / threads) - first }
  })
  const lengths = await Promise.all(shares.filter((share) => share.count > 0).map(sign))
  const bodyLength = lengths[0] ?? 0
  if (lengths.some((length) => length !== bodyLength)) throw new Error('presigned bodies differ in length')
  return { file, bodyLength, count, seconds: (performance.now() - began) / 1_000 }
}

/** Bodies that lie one behind another in a file. */
export type Stretch = Pick<Presigned, 'file' | 'bodyLength' | 'count'> & { readonly first: number }

/** Bodies without an end, however fast the machine: a batch at a time, and another one is signed when too few are left. */
export type BodySupply = {
  /** Bodies that were never used, `count` of them, or a whole batch if that is less. */
  readonly fresh: (count: number) => Promise<Stretch>
  /** So many of the last fresh ones were used. */
  readonly used: (count: number) => void
  /** The first of a batch, for whoever takes them again and again. */
  readonly shared: (count: number) => Promise<Stretch>
}

export const supplyBodies = (signBatch: () => Promise<Presigned>): BodySupply => {
  let batch: Presigned | null = null
  let next = 0
  const stretch = ({ file, bodyLength, count: all }: Presigned, first: number, count: number): Stretch => ({
    file,
    bodyLength,
    first,
    count: Math.min(count, all - first),
  })
  return {
    async fresh(count) {
      if (batch === null || (batch.count - next < count && next > 0)) {
        batch = await signBatch()
        next = 0
      }
      return stretch(batch, next, count)
    },
    used(count) {
      next += count
    },
    async shared(count) {
      batch ??= await signBatch()
      return stretch(batch, 0, count)
    },
  }
}
