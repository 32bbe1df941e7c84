// Activation of a signing key by the owner of its use (design §2): the private half is opened, the public key derived from it,
// and only then is the row written without which no key is served. On AWS the owner's function does it, and rotate asks by name.
import type { KeyUse } from '../../domain/signing-key.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { KeyActivation, KeyProver, SigningKeyStore } from '../../ports/signing-keys.ts'

type ProvingPorts = {
  readonly store: Pick<SigningKeyStore, 'list' | 'prove'>
  readonly prover: KeyProver
  readonly clock: Pick<Clock, 'nowSeconds'>
}

/** `use`: whose keys are opened here. */
export type ActivationPorts = ProvingPorts & { readonly use: KeyUse }

export const createKeyActivation = ({ store, prover, clock }: ProvingPorts): KeyActivation => ({
  async activate(key) {
    if (!(await prover.proves(key))) return false
    await store.prove(key.tenant, key.kid, clock.nowSeconds())
    return true
  },
})

export type NamedKey = { readonly tenant: string; readonly kid: string }

/**
 * The same for a caller that only names the key: the row is the activator's own read. Throws Unavailable(changed_underway)
 * where there is no such key of the use that waits for it.
 */
export const activateNamedKey = async (ports: ActivationPorts, { tenant, kid }: NamedKey): Promise<boolean> => {
  const key = (await ports.store.list(tenant)).find((row) => row.kid === kid)
  if (key === undefined || key.use !== ports.use || key.state !== 'prepared') throw new Unavailable('changed_underway')
  return createKeyActivation(ports).activate(key)
}

/** Each use has an owner (design §2). A key of a use without one stays prepared, and is never served. */
export const activationByOwner = (owners: Readonly<Partial<Record<KeyUse, KeyActivation>>>): KeyActivation => ({
  async activate(key) {
    const owner = owners[key.use]
    if (owner === undefined) throw new Unavailable('signing_key_unavailable')
    return owner.activate(key)
  },
})
