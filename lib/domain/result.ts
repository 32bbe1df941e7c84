// Expected refusals are values. A Result is either a value or the reason there is none; nothing here throws. Pure.
import type { Refused } from './refusal.ts'

export type Ok<T> = { readonly ok: true; readonly value: T }
export type Result<T> = Ok<T> | Refused

export const ok = <T>(value: T): Ok<T> => ({ ok: true, value })
