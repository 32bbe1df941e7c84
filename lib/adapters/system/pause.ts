// A pause that keeps no process alive.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pause } from '../../ports/system.ts'

export const systemPause: Pause = (ms) => sleep(ms, true, { ref: false })
