// S3, as far as anchors need it: objects put where none is, and read. Like a bucket under Object Lock it gives nothing away again.
import { type Answer, AwsError } from './answer.ts'
import { stringOf } from './call.ts'
import type { Ask, Service } from './service.ts'

/** By bucket and key, `bucket/key`. */
export type Objects = Map<string, string>

export const s3Service = (objects: Objects): Service => ({
  asks: ({ operation, input, raw }): readonly Ask[] => {
    const condition = raw.headers['if-none-match']
    const context = condition === undefined ? {} : { 's3:if-none-match': condition }
    return [{ action: `s3:${operation}`, resource: `arn:aws:s3:::${stringOf(input, 'Name')}`, context }]
  },
  serve: ({ operation, input, raw }): Answer => {
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
