// The process log: JSON lines, constant messages, ids and codes only (house style 30). Decisions are not logged here: they
// are records.
import { Logger } from '@aws-lambda-powertools/logger'

export const createLogger = (serviceName: string): Logger => new Logger({ serviceName, logLevel: 'INFO' })
