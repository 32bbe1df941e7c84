// The section `sinks:`: what each kind compiles to, and what is refused while somebody still reads the document.
import { expect, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import { loadTexts, VALID } from '../support/tenant-documents.ts'

const load = (sink: string) => loadTexts([`${VALID}sinks:\n  siem: ${sink}\n`])
const ruleOf = (sink: string) => {
  const { problems, tenants } = load(sink)
  expect(problems).toEqual([])
  return tenants[0]!.config.sinks[0]
}

test('every kind compiles to what is delivered to', () => {
  const url = 'https://siem.acme.example:8088'
  const token = 'acme/t'
  const secret = `token: { file: ${token} }`
  expect([
    ruleOf(`{ type: splunk-hec, url: "${url}", ${secret} }`),
    ruleOf(`{ type: splunk-hec, url: "${url}", ${secret}, index: main, acknowledgement: none }`),
    ruleOf(`{ type: otlp-logs, url: "${url}/v1/logs?key=1", ${secret}, header: x-api-key }`),
    ruleOf(`{ type: elasticsearch, url: "${url}", index: logs-mintmark.audit-acme }`),
    ruleOf(`{ type: elasticsearch, url: "${url}", index: a, ${secret}, scheme: Basic }`),
    ruleOf(`{ type: webhook, url: "${url}/hook" }`),
    ruleOf('{ type: jsonl, path: acme-audit.jsonl }'),
  ]).toEqual([
    { name: 'siem', type: 'splunk-hec', url, token, index: null, isAcknowledged: true },
    { name: 'siem', type: 'splunk-hec', url, token, index: 'main', isAcknowledged: false },
    { name: 'siem', type: 'otlp-logs', url: `${url}/v1/logs?key=1`, token, header: 'x-api-key' },
    { name: 'siem', type: 'elasticsearch', url, index: 'logs-mintmark.audit-acme', token: null, scheme: 'ApiKey' },
    { name: 'siem', type: 'elasticsearch', url, index: 'a', token, scheme: 'Basic' },
    { name: 'siem', type: 'webhook', url: `${url}/hook`, token: null },
    { name: 'siem', type: 'jsonl', path: 'acme-audit.jsonl' },
  ])
})

test('no tenant has more sinks than the deliverer serves in good time', () => {
  const sinks = Array.from(
    { length: LIMITS.sinksMax + 1 },
    (_, at) => `  s${at}: { type: jsonl, path: acme-${at}.jsonl }`,
  )
  const { problems } = loadTexts([`${VALID}sinks:\n${sinks.join('\n')}\n`])
  expect(problems.map(({ message }) => message)).toEqual([`at most ${LIMITS.sinksMax} sinks`])
})

test('two sinks never write to one file, and the second is named with its place', () => {
  const text = `${VALID}sinks:\n  one: { type: jsonl, path: acme-audit.jsonl }\n  two: { type: jsonl, path: acme-audit.jsonl }\n`
  const { problems, tenants } = loadTexts([text])
  expect(tenants).toEqual([])
  expect(problems).toMatchObject([
    {
      line: text.split('\n').findIndex((line) => line.startsWith('  two:')) + 1,
      message: 'the sink one writes to acme-audit.jsonl already',
    },
  ])
})

test.each([
  ['a type nobody speaks', '{ type: syslog, url: https://siem.acme.example }', 'type must be'],
  ['http', '{ type: webhook, url: http://siem.acme.example }', 'must be https'],
  ['an address in the place of a name', '{ type: webhook, url: https://10.0.0.1/ }', 'not one that is called: host'],
  ['a URL of the broker', '{ type: webhook, url: https://sts.example.com/t/acme/events }', "broker's own"],
  ['a user in the URL', '{ type: webhook, url: "https://u:p@siem.acme.example" }', 'must not have a user'],
  [
    'a query where paths are added',
    '{ type: elasticsearch, url: "https://es.acme.example/?a=1", index: a }',
    'not one that is called: query',
  ],
  [
    'an index that leads elsewhere',
    '{ type: elasticsearch, url: https://es.acme.example, index: "a/_doc" }',
    'an index is',
  ],
  [
    'a header that says where the request ends',
    '{ type: otlp-logs, url: https://otel.acme.example, token: { file: acme/t }, header: transfer-encoding }',
    'how the request is to be read',
  ],
  ['a header for no token', '{ type: otlp-logs, url: https://otel.acme.example, header: x-key }', 'there is none'],
  [
    'a token of another tenant',
    '{ type: webhook, url: https://w.acme.example, token: { file: globex/t } }',
    'acme/<name>',
  ],
])('%s is refused', (_, sink, says) => {
  expect(
    load(sink)
      .problems.map(({ message }) => message)
      .join('\n'),
  ).toContain(says)
})
