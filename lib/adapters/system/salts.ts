// Salts of the log's commitments: without one nobody can tell what a leaf is of.
import { randomBytes } from 'node:crypto'
import type { Salts } from '../../ports/tenant-log.ts'

export const systemSalts: Salts = { next: () => randomBytes(32) }
