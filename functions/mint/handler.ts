// mint: invoked by attest, never reachable from outside. What arrives is a request; every fact in it is verified again.
import { invocation } from '../../lib/edge/invocation.ts'
import { createMint, type MintPorts } from '../../lib/flows/mint-credential.ts'
import type { Mint } from '../../lib/ports/mint.ts'
import { readMintRequest, writeMintReply } from '../../lib/wire/mint-invocation.ts'

/** Called in one process with attest. */
export const createHandler = (ports: MintPorts): Mint['mint'] => createMint(ports).mint

/** Invoked with JSON. */
export const createInvoked = (ports: MintPorts, log: Parameters<typeof invocation>[0]['log']) =>
  invocation({ name: 'mint', read: readMintRequest, handle: createMint(ports).mint, reply: writeMintReply, log })
