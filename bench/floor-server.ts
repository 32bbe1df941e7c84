// The floor: node:http doing an exchange's HTTP work and nothing else. It parses the same form and answers 900 bytes of
// JSON, without crypto and without a store (performance.md §8.1).
import { answerJson, listen, readForm } from './bench-server.ts'

const ANSWER_BYTES = 900
const frame = {
  access_token: '',
  issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  token_type: 'Bearer',
  expires_in: 600,
}
const padding = 'x'.repeat(ANSWER_BYTES - JSON.stringify(frame).length)

listen((request, response) => {
  readForm(request, (form) => {
    const isComplete = form.get('grant_type') !== null && form.get('subject_token') !== null
    // Serialised on every request: an exchange cannot answer a constant either.
    answerJson(response, isComplete ? 200 : 400, { ...frame, access_token: padding })
  })
})
