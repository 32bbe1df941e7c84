import { expect, test } from 'vitest'
import { isJson } from '../../lib/edge/form-request.ts'

test.each([
  ['application/json', true],
  ['application/json; charset=UTF-8', true],
  ['application/json;charset="utf-8"', true],
  ['application/json;', true],
  ['application/json ; ; charset=utf-8', true],
  ['application/json; charset=utf-8"', false],
  ['application/json; charset=utf-16', false],
  ['application/json, text/plain', false],
  ['application/jsonp', false],
  ['text/json', false],
  [undefined, false],
])('a body of type %s is JSON that is read: %s', (type, isRead) => {
  expect(isJson({ headers: { 'content-type': type } })).toBe(isRead)
})
