// The schema as editors and the reference docs get it.
import { expect, test } from 'vitest'
import { tenantDocumentJsonSchema } from '../../lib/wire/tenant-document.ts'

test('editors get a JSON Schema with the leaves and with descriptions', () => {
  const schema = JSON.stringify(tenantDocumentJsonSchema())
  expect(schema).toContain('project.id')
  expect(schema).toContain('Every line must hold; a missing value never matches.')
})
