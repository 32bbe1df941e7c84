// Metrics of a function on Lambda: counted in this instance, and written behind an answer as EMF lines, once in some seconds and
// at once when something went wrong. What an instance counted in its last seconds may be lost with it.
import { exchangeReadings } from '../domain/exchange-counts.ts'
import { LIMITS } from '../domain/limits.ts'
import { EMF_VALUES_MAX, emfFields } from '../wire/metrics-emf.ts'
import { createExchangeMeter } from './exchange-meter.ts'
import type { HttpHandler, HttpResponse } from './http.ts'

type Options = {
  readonly functionName: string
  readonly log: { info(message: string, fields: Record<string, unknown>): void }
  readonly nowMs: () => number
}

export const createEmfMetrics = ({ functionName, log, nowMs }: Options) => {
  const meter = createExchangeMeter(true)
  let writtenAtMs = nowMs()
  let waiting = 0
  const write = (atMs: number) => {
    const readings = exchangeReadings(meter.take())
    for (const fields of emfFields(readings, functionName, atMs)) log.info('metrics', fields)
    writtenAtMs = atMs
    waiting = 0
  }
  const isDue = ({ statusCode }: HttpResponse, atMs: number): boolean =>
    statusCode >= 500 || waiting >= EMF_VALUES_MAX || Math.abs(atMs - writtenAtMs) >= LIMITS.metricWriteSeconds * 1000
  return {
    meter,
    /** Around the whole handler: nothing runs on after its answer. */
    counted(handler: HttpHandler): HttpHandler {
      const counting = meter.countExchanges(handler)
      return async (event) => {
        const answer = await counting(event)
        waiting += 1
        const atMs = nowMs()
        if (isDue(answer, atMs)) write(atMs)
        return answer
      }
    },
  }
}
