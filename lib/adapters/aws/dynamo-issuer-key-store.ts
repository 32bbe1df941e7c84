// Key sets of issuers as trust last fetched them, one row a source; trust alone has the right to put it. Public keys, judged
// anew by whoever reads them.
import { type JsonValue, withoutPrototype } from '../../domain/claims.ts'
import type { IssuerKeyStore } from '../../ports/issuer-keys.ts'
import { begin, getItem, keyOf, numberOf, optionalNumber, type Table, textOf, write } from './dynamo-request.ts'
import { issuerKeySetKey } from './table-keys.ts'

export const createIssuerKeyStore = (table: Table): IssuerKeyStore => ({
  async read(sourceId) {
    const row = await getItem(await begin(table, null), issuerKeySetKey(sourceId))
    if (row === null) return null
    return {
      sourceId,
      jwks: JSON.parse(textOf(row, 'jwks'), withoutPrototype) as JsonValue,
      fetchedAtSeconds: numberOf(row, 'fetchedAt') ?? 0,
      spiffeSequence: numberOf(row, 'spiffeSequence'),
      unknownKeyFetchAtSeconds: numberOf(row, 'unknownKeyFetchAt'),
    }
  },
  async write({ sourceId, jwks, fetchedAtSeconds, spiffeSequence, unknownKeyFetchAtSeconds }) {
    const Item = {
      ...keyOf(issuerKeySetKey(sourceId)),
      source: { S: sourceId },
      jwks: { S: JSON.stringify(jwks) },
      fetchedAt: { N: String(fetchedAtSeconds) },
      ...optionalNumber('spiffeSequence', spiffeSequence),
      ...optionalNumber('unknownKeyFetchAt', unknownKeyFetchAtSeconds),
    }
    await write(await begin(table, null), { put: { Item } })
  },
})
