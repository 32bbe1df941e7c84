// Activation of a signing key by the owner of its use (design §2): the private half is opened, the public key derived from it,
// and only then is the row written without which no key is served. On AWS mint does it, and rotate asks for it by name.
import { Unavailable } from '../domain/unavailable.ts'
import type { Clock } from '../ports/clock.ts'
import type { KeyActivation, KeyProver, SigningKeyStore } from '../ports/signing-keys.ts'

export type ActivationPorts = {
  readonly store: Pick<SigningKeyStore, 'list' | 'prove'>
  readonly prover: KeyProver
  readonly clock: Pick<Clock, 'nowSeconds'>
}

export const createKeyActivation = ({ store, prover, clock }: ActivationPorts): KeyActivation => ({
  async activate(key) {
    if (!(await prover.proves(key))) return false
    await store.prove(key.tenant, key.kid, clock.nowSeconds())
    return true
  },
})

export type NamedKey = { readonly tenant: string; readonly kid: string }

/**
 * The same for a caller that only names the key: the row is the activator's own read. Throws Unavailable(changed_underway)
 * where there is no such key of tokens that waits for it.
 */
export const activateNamedKey = async (ports: ActivationPorts, { tenant, kid }: NamedKey): Promise<boolean> => {
  const key = (await ports.store.list(tenant)).find((row) => row.kid === kid)
  if (key === undefined || key.use !== 'token' || key.state !== 'prepared') throw new Unavailable('changed_underway')
  return createKeyActivation(ports).activate(key)
}
