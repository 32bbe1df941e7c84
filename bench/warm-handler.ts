// Warm time of an exchange through attest and mint as Lambda has them, two handlers with JSON between them, over the same in
// one process, as the embedded broker has it (issue 3 §4: at most 1.5 times). Behind both lie the memory adapters: engines
// and networks are excluded, so that its time is its CPU time, which a busy machine leaves nearly alone. Rounds alternate; the
// ratio is taken within a round. Reported, not asserted.
import { createHandler } from '../functions/attest/handler.ts'
import { createInvoked } from '../functions/mint/handler.ts'
import type { HttpHandler } from '../lib/edge/http.ts'
import type { Mint } from '../lib/ports/mint.ts'
import { readMintReply, writeMintRequest } from '../lib/wire/mint-invocation.ts'
import { BASE_URL, memoryMint } from '../test/security/memory-mint.ts'
import { issuerKey } from '../test/support/evidence.ts'
import { TARGET } from '../test/support/tenants.ts'
import { median, type Spread, spread } from './windows.ts'

const CALLS = 30
const WARM_ROUNDS = 20

export type WarmReport = { readonly embeddedMicros: number; readonly lambdaMicros: number; readonly ratio: Spread }

const event = (evidence: string) => ({
  rawPath: '/t/acme/token',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  requestContext: { http: { method: 'POST', sourceIp: '127.0.0.1' } },
  body: new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    audience: TARGET,
    subject_token: evidence,
  }).toString(),
})

const silent = { error: () => undefined }

/** What lambda-invoke.ts does but for the call: JSON there, JSON back, both read strictly. */
const overJson = (invoked: ReturnType<typeof createInvoked>): Mint => ({
  async mint(request) {
    const reply = await invoked(JSON.parse(writeMintRequest(request)), { invokedFunctionArn: 'mint:issue' })
    const answer = readMintReply(JSON.parse(JSON.stringify(reply)))
    if (answer === null || answer instanceof Error) throw new Error('mint gave no answer')
    return answer
  },
})

export const measureWarm = async (rounds: number): Promise<WarmReport> => {
  const broker = await memoryMint(issuerKey('RS256'))
  const { attestPorts, ports, own, clock } = broker
  const handlerOver = (mint: Mint): HttpHandler =>
    createHandler({
      ports: { ...attestPorts, mint },
      http: { baseUrl: BASE_URL, newTraceId: attestPorts.ids.traceId },
      log: silent,
    })
  const activation = { store: own.store, prover: own.prover, clock, use: 'token' as const }
  const invoked = createInvoked({ open: async () => ports, activation, settle: async () => undefined }, silent)
  const [embedded, lambda] = [handlerOver({ mint: broker.mint }), handlerOver(overJson(invoked))]
  const microsOf = async (handler: HttpHandler): Promise<number> => {
    const events = Array.from({ length: CALLS }, () => event(broker.assertion()))
    const began = process.cpuUsage()
    for (const each of events) {
      const { statusCode, body } = await handler(each)
      if (statusCode !== 200) throw new Error(`not an exchange: ${statusCode} ${body}`)
    }
    const { user, system } = process.cpuUsage(began)
    return (user + system) / CALLS
  }
  const taken = { embedded: [] as number[], lambda: [] as number[], ratio: [] as number[] }
  for (let round = -WARM_ROUNDS; round < rounds; round += 1) {
    const before = await microsOf(embedded)
    const own = await microsOf(lambda)
    const after = await microsOf(embedded)
    if (round < 0) continue
    taken.embedded.push((before + after) / 2)
    taken.lambda.push(own)
    taken.ratio.push(own / ((before + after) / 2))
  }
  return {
    embeddedMicros: median(taken.embedded),
    lambdaMicros: median(taken.lambda),
    ratio: spread(taken.ratio),
  }
}

export const formatWarm = ({ embeddedMicros, lambdaMicros, ratio }: WarmReport): string =>
  `warm exchange, engines excluded: ${lambdaMicros.toFixed(0)} us of CPU through two handlers, ${embeddedMicros.toFixed(0)} us in one process: x ${ratio.median.toFixed(2)} [${ratio.p10.toFixed(2)}..${ratio.p90.toFixed(2)}] (goal <= 1.5) ${ratio.median <= 1.5 ? 'reached' : 'MISSED'}\n`
