// mint: invoked by attest, never reachable from outside. What arrives is a request; every fact in it is verified again.
import { createMint, type MintPorts } from '../../lib/flows/mint-credential.ts'
import type { Mint } from '../../lib/ports/mint.ts'

export const createHandler = (ports: MintPorts): Mint['mint'] => createMint(ports).mint
