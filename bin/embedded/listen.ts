// The broker's ports. They are taken before anything is wired: without --base-url, issuers are built from one. What is served comes
// later, and until then every request gets a 503.
import type { HttpDoor, HttpHandler } from '../../lib/edge/http.ts'
import { wordsOf } from '../words-of.ts'
import type { BrokerOptions } from './broker-options.ts'
import { createClientOf, createHostAllowed } from './client-address.ts'
import { type HostOptions, startHost } from './http-host.ts'
import { type Ops, startOps } from './ops.ts'

type Served = Required<Pick<HostOptions, 'tenantRoutes' | 'tenantDoors' | 'rootRoutes' | 'settled'>>

export type Listening = {
  readonly url: string
  readonly ops: Ops | undefined
  /** Under --dev: who asks for another host is misdirected. Before it is called everybody is. */
  readonly answerTo: (baseUrl: string) => void
  readonly serve: (served: Served, isReady: () => boolean) => void
  readonly stopServing: () => void
  readonly close: () => Promise<void>
}

/** A text: why not. */
export const listen = async (options: BrokerOptions): Promise<Listening | string> => {
  const tenantRoutes: Record<string, HttpHandler> = {}
  const tenantDoors: Record<string, HttpDoor> = {}
  const rootRoutes: Served['rootRoutes'][number][] = []
  let isServing = () => false
  let settled: Served['settled'] = () => null
  let hostAllowed: HostOptions['hostAllowed'] = options.dev ? () => false : null
  const ops =
    options.ops && (await startOps(options.ops, () => isServing()).catch((error: NodeJS.ErrnoException) => error))
  if (ops instanceof Error) return `cannot listen on --ops-port: ${wordsOf(ops)}`
  const host = await startHost({
    host: options.host,
    port: options.port,
    tenantRoutes,
    tenantDoors,
    rootRoutes,
    basePath: options.baseUrl === null ? '' : new URL(options.baseUrl).pathname.replace(/\/+$/, ''),
    isReady: () => isServing(),
    settled: () => settled(),
    hostAllowed: options.dev ? (name) => hostAllowed?.(name) ?? false : null,
    clientOf: createClientOf(options.trustedProxies),
    countRefused: ops?.countRefused,
  }).catch((error: NodeJS.ErrnoException) => error)
  if (host instanceof Error) {
    await ops?.close()
    return `cannot listen on ${options.host}:${options.port}: ${wordsOf(host)}`
  }
  return {
    url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${host.port}`,
    ops,
    answerTo(baseUrl) {
      hostAllowed = createHostAllowed(baseUrl)
    },
    serve(served, isReady) {
      Object.assign(tenantRoutes, served.tenantRoutes)
      Object.assign(tenantDoors, served.tenantDoors)
      rootRoutes.push(...served.rootRoutes)
      settled = served.settled
      isServing = isReady
    },
    stopServing() {
      isServing = () => false
    },
    async close() {
      await host.close()
      await ops?.close()
    },
  }
}
