// mint: invoked by attest and by rotate, never reachable from outside. What arrives is a request; every fact in it is verified
// again.
import { byAlias, type InvocationContext, invocation } from '../../lib/edge/invocation.ts'
import { type ActivationPorts, activateNamedKey } from '../../lib/flows/keys/activate-key.ts'
import { createMint, type MintPorts } from '../../lib/flows/mint-credential.ts'
import type { Mint } from '../../lib/ports/mint.ts'
import { readActivateRequest, writeActivateReply } from '../../lib/wire/activate-invocation.ts'
import { readMintRequest, writeMintReply } from '../../lib/wire/mint-invocation.ts'

/** Called in one process with attest. */
export const createHandler = (ports: MintPorts): Mint['mint'] => createMint(ports).mint

type InvokedPorts = {
  /** Asked for with each request: what must be read before the first may not be had at once. */
  readonly open: () => Promise<MintPorts>
  readonly activation: ActivationPorts
  /** Behind each answer, since nothing runs on after it. Must not throw. */
  readonly settle: () => Promise<void>
}

/** Invoked with JSON: `issue` by attest, `activate` by rotate. */
export const createInvoked = (
  { open, activation, settle }: InvokedPorts,
  log: Parameters<typeof invocation>[0]['log'],
) => {
  const issue = invocation({
    name: 'mint',
    read: readMintRequest,
    handle: async (request) => createMint(await open()).mint(request),
    reply: writeMintReply,
    log,
  })
  const activate = invocation({
    name: 'mint',
    read: readActivateRequest,
    handle: (named) => activateNamedKey(activation, named),
    reply: writeActivateReply,
    log,
  })
  const ask = byAlias('mint', { issue, activate }, log)
  return async (payload: unknown, context: InvocationContext): Promise<unknown> => {
    const answer = await ask(payload, context)
    await settle()
    return answer
  }
}
