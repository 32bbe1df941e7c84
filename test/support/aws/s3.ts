// S3, as far as anchors need it: objects put where none is, read, and listed. Like a bucket under Object Lock it gives nothing away again.
import { type Answer, AwsError } from './answer.ts'
import { type JsonObject, stringOf } from './call.ts'
import type { Ask, Service } from './service.ts'

/** By bucket and key, `bucket/key`. */
export type Objects = Map<string, string>

/** S3 gives up to a thousand, and may give fewer: whoever takes one page for all there is shows here. */
const PAGE = 100

export const s3Service = (objects: Objects): Service => ({
  asks: ({ operation, input, raw }): readonly Ask[] => {
    const resource = `arn:aws:s3:::${stringOf(input, 'Name')}`
    const prefix = stringOf(input, 'Prefix')
    if (operation === 'ListObjectsV2')
      return [{ action: 's3:ListBucket', resource, context: prefix === undefined ? {} : { 's3:prefix': prefix } }]
    const condition = raw.headers['if-none-match']
    const context = condition === undefined ? {} : { 's3:if-none-match': condition }
    return [{ action: `s3:${operation}`, resource, context }]
  },
  serve: ({ operation, input, raw }): Answer => {
    if (operation === 'ListObjectsV2') return listed(objects, input)
    const name = stringOf(input, 'Name') ?? ''
    const found = objects.get(name)
    if (operation === 'GetObject') {
      if (found === undefined) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404)
      return { status: 200, headers: { 'content-type': 'text/plain', etag: '"x"' }, body: found }
    }
    if (found !== undefined && raw.headers['if-none-match'] === '*')
      throw new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412)
    objects.set(name, raw.body.toString('utf8'))
    return { status: 200, headers: { etag: '"x"' }, body: '' }
  },
})

const listed = (objects: Objects, input: JsonObject): Answer => {
  const bucket = `${stringOf(input, 'Name')}/`
  const begin = `${bucket}${stringOf(input, 'Prefix') ?? ''}`
  const token = stringOf(input, 'ContinuationToken')
  const after = token === undefined ? '' : Buffer.from(token, 'base64').toString('utf8')
  const names = [...objects.keys()].filter((name) => name.startsWith(begin) && name > after).sort()
  const page = names.slice(0, PAGE)
  const isMore = names.length > PAGE
  const next = isMore
    ? [`<NextContinuationToken>${Buffer.from(page.at(-1)!).toString('base64')}</NextContinuationToken>`]
    : []
  const contents = page.map((name) => `<Contents><Key>${name.slice(bucket.length)}</Key></Contents>`)
  const body = [`<IsTruncated>${isMore}</IsTruncated>`, ...next, ...contents].join('')
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult>${body}</ListBucketResult>`,
  }
}
