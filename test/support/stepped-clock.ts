// Preloaded into a broker: its wall clock is half an hour ahead until SIGUSR2 sets it back, as a bad time server would.
const { now } = Date
let aheadMs = 1_800_000
Date.now = () => now() + aheadMs
process.on('SIGUSR2', () => {
  aheadMs = 0
})
