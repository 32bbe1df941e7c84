// What every command says of a problem: words on stderr, under --json one document on stdout for whoever reads that alone.
import { EXIT_CODES, type Problem } from '../lib/client/outcome.ts'
import type { Io } from './command.ts'

/** Prints a problem; the exit code it means. */
export const reportProblem = (io: Io, command: string, problem: Problem, isJson: boolean | undefined): number => {
  for (const line of problem.says.split('\n')) io.stderr.write(`mintmark ${command}: ${line}\n`)
  const facts = problem.facts ?? { error: problem.kind, error_description: problem.says }
  if (isJson) io.stdout.write(`${JSON.stringify(facts, null, 2)}\n`)
  return EXIT_CODES[problem.kind]
}
