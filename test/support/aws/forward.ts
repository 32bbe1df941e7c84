// Hands an allowed call to the engine that really serves it (DynamoDB Local, fauxqs). The engines check no signature, so the
// caller's own header goes along: fauxqs reads the region from it.
import { request } from 'node:http'
import type { Answer } from './answer.ts'
import type { AwsCall } from './call.ts'

const HOP_BY_HOP = new Set(['connection', 'content-length', 'host', 'transfer-encoding'])
/** The engine's checksum of its own bytes, wrong once an ARN in them is rewritten. */
const BODY_BOUND = 'x-amz-crc32'

/** `body` replaces the caller's where ARNs had to be rewritten. Rejects when the engine is not there. */
export const forward = (
  engine: string,
  call: AwsCall,
  body: string | Buffer = call.raw.body,
): Promise<Answer & { readonly body: Buffer }> =>
  new Promise((resolve, reject) => {
    const headers = pick(call.raw.headers)
    const sent = request(`${engine}${call.raw.url}`, { method: call.raw.method, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const received = pick(response.headers as Record<string, string>)
        resolve({ status: response.statusCode ?? 500, headers: received, body: Buffer.concat(chunks) })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })

const pick = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && name !== BODY_BOUND))
