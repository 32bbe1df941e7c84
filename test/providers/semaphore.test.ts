// Semaphore says in three claims that a run is of a pull request, and an organization may filter any of them out.
import { expect, test } from 'vitest'
import { normalize } from '../../lib/domain/normalize.ts'
import { semaphore } from '../../lib/providers/semaphore.ts'
import { mutated, sample } from '../support/assertion-samples.ts'

test.each([{ ref_type: 'pull-request' }, { ref_type: 'pull_request' }, { pr: '7' }, { ref: 'refs/pull/7/merge' }])(
  '%j alone makes it untrusted, whatever else the token says',
  (sign) => {
    const claims = mutated(sample('semaphore').claims, (copy) => Object.assign(copy, sign))
    expect(normalize(semaphore, 'https://acme.semaphoreci.com', claims, null)).toMatchObject({
      value: { 'ref.type': 'pull_request', 'trigger.class': 'pull_request', untrusted_source: true },
    })
  },
)
