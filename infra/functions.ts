// What serverless.yml takes from here for each function: numbers that other resources depend on, and the environment.
import { trustedRoots } from './amazon-roots.ts'
import { environments } from './environment.ts'
import { FUNCTIONS } from './names.ts'
import { ISOLATED } from './network.ts'
import type { Settings } from './settings.ts'
import { CONCURRENCY, TIMEOUT_SECONDS } from './timeouts.ts'

export const functionSettings = ({ place, domain }: Settings) => {
  const environment = environments(place, domain)
  return {
    isolated: ISOLATED,
    ...Object.fromEntries(
      FUNCTIONS.map((fn) => [
        fn,
        {
          timeout: TIMEOUT_SECONDS[fn],
          concurrency: CONCURRENCY[fn],
          environment: { ...environment[fn], ...trustedRoots(fn) },
        },
      ]),
    ),
  }
}
