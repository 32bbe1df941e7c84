// Preloaded into a broker: limits that a slow machine goes over as well, in place of those a fast one is held to.
import { LIMITS } from '../../lib/domain/limits.ts'

Object.assign(LIMITS, JSON.parse(process.env['MINTMARK_TEST_LIMITS'] ?? '{}'))
