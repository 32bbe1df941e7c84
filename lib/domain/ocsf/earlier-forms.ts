// Events that logs committed to before are told otherwise now. What a record gives today is compared with what they would be today: who
// alters one of them is found by its leaf, and here by all that it says. Pure.
import { isJsonObject, type JsonValue } from '../claims.ts'
import { type OcsfEvent, operatorOf } from './event.ts'

export const inPresentForm = (event: OcsfEvent): OcsfEvent => operatorApart(countAtItsBeginning(event))

/** The time of a count was the last second of its minute. */
const countAtItsBeginning = (event: OcsfEvent): OcsfEvent => {
  const { time, start_time: start } = event
  return typeof start === 'number' && time === start + 59_000 ? { ...event, time: start } : event
}

/** Who came with a token was named by its identity and its id in one. */
const operatorApart = (event: OcsfEvent): OcsfEvent => {
  const by = uidIn(event['actor'])
  return by === null ? event : { ...event, actor: operatorOf(by) }
}

const uidIn = (actor: JsonValue | undefined): string | null => {
  const user = isJsonObject(actor) && Object.keys(actor).length === 1 ? actor['user'] : undefined
  const uid = isJsonObject(user) && user['type'] === 'Admin' && user['name'] === user['uid'] ? user['uid'] : undefined
  return typeof uid === 'string' ? uid : null
}
