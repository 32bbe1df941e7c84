// The highest time seen, in this process.
import type { TimeMark } from '../../ports/grant-store.ts'

export const createMemoryTimeMark = (startSeconds = 0): TimeMark => {
  let highest = startSeconds
  return {
    highestSeconds: () => highest,
    raise(nowSeconds) {
      if (nowSeconds > highest) highest = nowSeconds
      return true
    },
  }
}
