// interim: inline keys only
import { importVerifyKey } from '../../lib/adapters/jose/evidence-signature.ts'
import { keyFor, usableKeys } from '../../lib/domain/jwk-policy.ts'
import type { IssuerKeys } from '../../lib/ports/evidence.ts'
export const startIssuerKeys = async (_: unknown): Promise<{ keys: IssuerKeys; close: () => void }> => {
  const cache = new WeakMap<object, Map<string, object>>()
  return {
    close: () => undefined,
    keys: {
      generation: () => 1,
      peek: (source, kid, alg) => cache.get(source)?.get(kid + alg),
      find: async (source, kid, alg) => {
        if (source.kind !== 'inline') throw new Error('x')
        const { keys } = usableKeys({ keys: source.keys } as never, { algorithms: [alg] } as never)
        const k = keyFor(keys, kid, alg)
        if (!k.ok) return k
        const v = importVerifyKey(k.value.jwk as never, alg as never) as object
        if (!cache.has(source)) cache.set(source, new Map())
        cache.get(source)!.set(kid + alg, v)
        return { ok: true, value: v }
      },
    },
  }
}
