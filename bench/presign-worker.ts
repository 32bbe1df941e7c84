// One signing thread of presign.ts: writes its share of bodies at their offsets and answers with their length.
import { createPrivateKey, randomUUID, sign } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { ISSUER, type PresignShare, TARGET } from './presign.ts'

const BATCH = 256
const share = workerData as PresignShare
const key = createPrivateKey(share.pem)
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const header = encode({ alg: 'RS256', kid: share.kid, typ: 'JWT' })
// GitHub's claims without those the bench's grant does not read, so that the size is that of performance.md's anchors.
const job = {
  sub: 'repo:acme@1234567/api@7654321:environment:production',
  repository: 'acme/api',
  repository_id: '7654321',
  repository_owner: 'acme',
  repository_owner_id: '1234567',
  ref: 'refs/heads/main',
  ref_type: 'branch',
  sha: '1f0c9a7be0c14f7f8f4b2a1d3c5e7f9012345678',
  event_name: 'push',
  environment: 'production',
  actor_id: '42',
  run_id: '987654321',
  run_attempt: '1',
  runner_environment: 'github-hosted',
}
const form = new URLSearchParams({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  audience: TARGET,
}).toString()

/** The tokens are base64url and dots: form encoding leaves them as they are. */
const body = (): string => {
  const now = Math.floor(Date.now() / 1_000)
  const input = `${header}.${encode({ iss: ISSUER, aud: share.audience, jti: randomUUID(), iat: now, nbf: now - 300, exp: now + 300, ...job })}`
  return `${form}&subject_token=${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
}

const file = openSync(share.file, 'r+')
let bodyLength = 0
for (let done = 0; done < share.count; done += BATCH) {
  const bodies = Array.from({ length: Math.min(BATCH, share.count - done) }, body)
  bodyLength = bodies[0]!.length
  if (bodies.some((text) => text.length !== bodyLength)) throw new Error('a presigned body has another length')
  writeSync(file, Buffer.from(bodies.join('')), 0, bodies.length * bodyLength, (share.first + done) * bodyLength)
}
closeSync(file)
parentPort?.postMessage(bodyLength)
