// The process log: JSON lines, constant messages, ids and codes only (house style 30). Decisions are not logged here: they
// are records.
import { Logger } from '@aws-lambda-powertools/logger'

type Log = Pick<Logger, 'info' | 'warn' | 'error'>
type Fields = Record<string, unknown>

/** Made at its first line: most processes never write one, and a Logger opens both standard streams for itself. */
export const createLogger = (serviceName: string): Log => {
  let logger: Logger | undefined
  const made = (): Logger => {
    logger ??= new Logger({ serviceName, logLevel: 'INFO' })
    return logger
  }
  return {
    info: (message: string, fields: Fields) => made().info(message, fields),
    warn: (message: string, fields: Fields) => made().warn(message, fields),
    error: (message: string, fields: Fields) => made().error(message, fields),
  }
}
