// The sinks of a tenant document, checked and in the form the deliverer takes. Pure.
import { parseEgressUrl } from '../domain/egress.ts'
import type { SinkRule } from '../domain/tenant-config.ts'
import type { SinkDocument } from './sink-document.ts'
import type { DocumentPath } from './tenant-problem.ts'
import { type BrokerPlace, outboundUrlProblem, secretProblem } from './tenant-urls.ts'

type Context = BrokerPlace & {
  readonly tenant: string
  readonly problem: (path: DocumentPath, message: string) => void
}

export const compileSinks = (sinks: Readonly<Record<string, SinkDocument>>, context: Context): readonly SinkRule[] => {
  const writerOf = new Map<string, string>()
  return Object.entries(sinks).map(([name, sink]) => {
    if (sink.type === 'jsonl') checkPath(name, sink.path, writerOf, context)
    else checkRemote(['sinks', name], sink, context)
    return ruleOf(name, sink)
  })
}

/** `writerOf`: the sink of each file so far. Two would write into each other's lines. */
const checkPath = (name: string, path: string, writerOf: Map<string, string>, { tenant, problem }: Context): void => {
  const at = ['sinks', name, 'path']
  const writer = writerOf.get(path)
  if (writer !== undefined) problem(at, `the sink ${writer} writes to ${path} already`)
  else writerOf.set(path, name)
  const isOwn = path.startsWith(`${tenant}-`) && /^[a-z0-9]+-[A-Za-z0-9._-]+\.jsonl$/.test(path)
  if (!isOwn) problem(at, `the path is a bare name ${tenant}-<something>.jsonl`)
}

type Remote = Exclude<SinkDocument, { readonly type: 'jsonl' }>

const checkRemote = (at: DocumentPath, sink: Remote, context: Context): void => {
  const { problem, tenant, dev } = context
  const wrong = outboundUrlProblem(sink.url, context)
  if (wrong !== null) problem([...at, 'url'], `the URL ${wrong}`)
  else {
    const judged = parseEgressUrl(sink.url, { ports: 'any', query: mayHaveQuery(sink), dev })
    if (!judged.ok) problem([...at, 'url'], `the URL is not one that is called: ${judged.problem}`)
  }
  const secret = secretProblem(sink.token, tenant)
  if (secret !== null) problem([...at, 'token', 'file'], secret)
  if (sink.type === 'otlp-logs' && sink.header !== undefined && sink.token === undefined)
    problem([...at, 'header'], 'a header carries the token, and there is none')
}

/** Paths are added behind the URLs of the others. */
const mayHaveQuery = ({ type }: Remote): boolean => type === 'webhook' || type === 'otlp-logs'

const ruleOf = (name: string, sink: SinkDocument): SinkRule => {
  switch (sink.type) {
    case 'jsonl':
      return { name, type: sink.type, path: sink.path }
    case 'webhook':
      return { name, type: sink.type, url: sink.url, token: sink.token?.file ?? null }
    case 'otlp-logs':
      return { name, type: sink.type, url: sink.url, token: sink.token?.file ?? null, header: sink.header ?? null }
    case 'elasticsearch': {
      const { type, url, index, token, scheme = 'ApiKey' } = sink
      return { name, type, url, index, token: token?.file ?? null, scheme }
    }
    case 'splunk-hec': {
      const { type, url, token, index = null, acknowledgement } = sink
      return { name, type, url, token: token.file, index, isAcknowledged: acknowledgement !== 'none' }
    }
  }
}
