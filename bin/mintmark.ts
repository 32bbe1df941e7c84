// The command line (design §9), in a process of its own.
import { runCommandLine } from './command-line.ts'

// `mintmark decision … | head`: a reader that has seen enough is no failure. A broker goes on though nobody reads its log, or the disk it
// is on is full: what must not be lost is in the store.
const isBroker = process.argv[2] === 'serve'
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (isBroker) return
    if (error.code !== 'EPIPE') throw error
    if (stream === process.stdout) process.exit(0)
  })

process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
})
// What had begun before a start failed would listen on, and answer 503 for ever.
if (isBroker) process.exit()
