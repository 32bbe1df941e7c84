// The operator's port (design §4): /metrics, /healthz and /readyz, on loopback unless an address is named. Counting wraps what
// the broker wires and is not there at all without the port.
import { isIP } from 'node:net'
import { startProcessHealth } from '../../lib/adapters/system/process-health.ts'
import { type BrokerCounts, brokerReadings, countOne, newBrokerCounts } from '../../lib/domain/broker-counts.ts'
import { exchangeReadings } from '../../lib/domain/exchange-counts.ts'
import type { Reading } from '../../lib/domain/reading.ts'
import { createExchangeMeter, type ExchangeMeter } from '../../lib/edge/exchange-meter.ts'
import { metricsEndpoint } from '../../lib/edge/metrics-endpoint.ts'
import { metricsText } from '../../lib/wire/metrics-text.ts'
import { createHostAllowed } from './client-address.ts'
import { startHost } from './http-host.ts'

export type OpsPlace = { readonly host: string; readonly port: number }

/** `N`, or `ADDRESS:N` (an IPv6 address in brackets). Null: neither. */
export const parseOpsPlace = (text: string): OpsPlace | null => {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]:|([^:[\]]+):)?([0-9]{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain ?? '127.0.0.1'
  const port = Number(digits)
  return digits === undefined || port > 65_535 || isIP(host) === 0 ? null : { host, port }
}

const isLoopback = ({ host }: OpsPlace): boolean => host === '::1' || host.startsWith('127.')

export type Ops = {
  readonly url: string
  /** Not on loopback. */
  readonly isOpen: boolean
  readonly meter: ExchangeMeter
  readonly counts: BrokerCounts
  /** HostOptions.countRefused. */
  readonly countRefused: (status: number) => void
  /** Asked at each scrape. */
  readonly show: (state: () => readonly Reading[]) => void
  readonly close: () => Promise<void>
}

/** Rejects when it cannot listen there. */
export const startOps = async (place: OpsPlace, isReady: () => boolean): Promise<Ops> => {
  const meter = createExchangeMeter()
  const counts = newBrokerCounts()
  const health = startProcessHealth()
  let state: () => readonly Reading[] = () => []
  const read = () =>
    metricsText([...exchangeReadings(meter.counts()), ...brokerReadings(counts), ...state(), ...health.read()])
  const host = await startHost({
    ...place,
    tenantRoutes: {},
    rootRoutes: [],
    exactRoutes: { '/metrics': metricsEndpoint(read) },
    isReady,
    // A page in a browser on this machine could reach loopback under a name of its own (DNS rebinding).
    hostAllowed: isLoopback(place) ? createHostAllowed('http://localhost') : null,
    clientOf: (address) => address,
  })
  return {
    url: `http://${place.host.includes(':') ? `[${place.host}]` : place.host}:${host.port}`,
    isOpen: !isLoopback(place),
    meter,
    counts,
    countRefused: (status) => countOne(counts.httpRefused, status),
    show(read) {
      state = read
    },
    close() {
      health.close()
      return host.close()
    },
  }
}
