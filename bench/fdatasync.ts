// How long the data directory's disk takes to keep a promise: 4 KiB appends, each followed by fdatasync. Printed beside
// every durable figure, because a group commit is worth what its disk is worth.
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { median } from './windows.ts'

const APPENDS = 200
const BLOCK = Buffer.alloc(4_096, 1)

/** Microseconds, p50 of 200 appends, on the filesystem of `dir`. */
export const fdatasyncMicros = (dir: string): number => {
  const path = join(dir, 'fdatasync.probe')
  const file = openSync(path, 'a', 0o600)
  const times: number[] = []
  try {
    for (let i = 0; i < APPENDS; i += 1) {
      writeSync(file, BLOCK)
      const began = performance.now()
      fdatasyncSync(file)
      times.push((performance.now() - began) * 1_000)
    }
  } finally {
    closeSync(file)
    rmSync(path, { force: true })
  }
  return median(times)
}
