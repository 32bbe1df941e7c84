// The section `sinks:` of the tenant document: where audit events go, and how each kind is spoken to. What it may mean is in
// compile-sinks.ts.
import * as z from 'zod/mini'
import { secretFile, text, url } from './document-parts.ts'

const splunkHec = z
  .strictObject({
    type: z.literal('splunk-hec'),
    url: url.check(z.describe('Of the collector, without a path: https://splunk.acme.example:8088')),
    token: secretFile,
    index: z.optional(text),
    acknowledgement: z
      .optional(z.enum(['indexer', 'none']))
      .check(
        z.describe(
          'indexer (default): delivered once the indexer says so; the token needs "Enable indexer acknowledgement". none: where there is no such thing; what the collector loses is lost.',
        ),
      ),
  })
  .check(z.describe('Splunk HTTP Event Collector.'))

const otlpLogs = z
  .strictObject({
    type: z.literal('otlp-logs'),
    url: url.check(z.describe('Of the logs endpoint, whole: https://otel.acme.example:4318/v1/logs')),
    token: z.optional(secretFile),
    header: z
      .optional(
        z.string().check(
          z.regex(/^[a-z][a-z0-9-]{0,63}$/, 'the name of a header is lower case'),
          z.refine((header) => !FRAMING.test(header), { error: 'this header says how the request is to be read' }),
        ),
      )
      .check(z.describe('Header that carries the token as it is. Default: authorization, as a bearer token.')),
  })
  .check(z.describe('Any OpenTelemetry collector: OTLP/HTTP in JSON.'))

/** Headers that decide where a request ends or who it is for. */
const FRAMING = /^(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|accept.*)$/

const elasticsearch = z
  .strictObject({
    type: z.literal('elasticsearch'),
    url: url.check(z.describe('Of the cluster: https://es.acme.example:9200')),
    index: z
      .string()
      .check(
        z.regex(/^[a-z0-9][a-z0-9._-]{0,199}$/, 'an index is lower case letters, digits, ".", "-" and "_"'),
        z.describe('Index, alias or data stream.'),
      ),
    token: z.optional(secretFile),
    scheme: z
      .optional(z.enum(['ApiKey', 'Basic', 'Bearer']))
      .check(z.describe('How the token authenticates: ApiKey (default); Basic: the file holds user:password.')),
  })
  .check(z.describe('Elasticsearch or OpenSearch, by bulk create.'))

const webhook = z
  .strictObject({ type: z.literal('webhook'), url, token: z.optional(secretFile) })
  .check(z.describe('CloudEvents in batches over HTTPS, signed (RFC 9421). The token is sent as a bearer token.'))

const jsonl = z
  .strictObject({
    type: z.literal('jsonl'),
    path: z.string().check(z.maxLength(100), z.describe('<tenant>-*.jsonl, in --data.')),
  })
  .check(z.describe('A file of JSON lines in --data.'))

export const sink = z
  .discriminatedUnion('type', [splunkHec, otlpLogs, elasticsearch, webhook, jsonl], {
    error: 'type must be splunk-hec, otlp-logs, elasticsearch, webhook or jsonl',
  })
  .check(z.describe('Where audit events go.'))

export type SinkDocument = z.infer<typeof sink>
