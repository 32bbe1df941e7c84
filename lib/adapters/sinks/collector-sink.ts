// Which adapter stands behind which type of sink that is a collector of somebody else's: nothing of ours goes there but events and
// the secret it gave us.
import type { SinkRuleOf } from '../../domain/tenant-config.ts'
import type { OutboundHttp } from '../../ports/outbound-http.ts'
import type { Secrets } from '../../ports/secrets.ts'
import type { Sink } from '../../ports/sinks.ts'
import { createElasticsearchSink } from './elasticsearch.ts'
import { createOtlpLogsSink } from './otlp-logs.ts'
import { createSplunkHecSink } from './splunk-hec.ts'

type Ports = {
  readonly http: OutboundHttp
  readonly secrets: Pick<Secrets, 'text'>
  readonly issuerUrl: string
}

export const createCollectorSink = (
  rule: SinkRuleOf<'splunk-hec' | 'otlp-logs' | 'elasticsearch'>,
  ports: Ports,
): Sink => {
  switch (rule.type) {
    case 'splunk-hec':
      return createSplunkHecSink(rule, ports)
    case 'otlp-logs':
      return createOtlpLogsSink(rule, ports)
    case 'elasticsearch':
      return createElasticsearchSink(rule, ports)
  }
}
