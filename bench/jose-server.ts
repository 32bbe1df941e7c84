// The bare exchange with jose: verify RS256, sign ES256, answer. No policy, no replay guard, no record (performance.md §4).
import { randomUUID } from 'node:crypto'
import { createLocalJWKSet, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { answerJson, listen, readForm, readPeerSettings } from './bench-server.ts'

const LIFETIME_SECONDS = 600
const { jwks, audience, issuer } = readPeerSettings()
const keys = createLocalJWKSet(jwks)
const { privateKey } = await generateKeyPair('ES256')

const exchange = async (form: URLSearchParams): Promise<object> => {
  const { payload } = await jwtVerify(form.get('subject_token') ?? '', keys, {
    issuer,
    audience,
    algorithms: ['RS256'],
  })
  const token = await new SignJWT({
    client_id: String(payload.sub),
    scope: 'deploy:read deploy:write',
    repository_id: payload['repository_id'],
  })
    .setProtectedHeader({ alg: 'ES256', kid: 'bench', typ: 'at+jwt' })
    .setIssuer(audience)
    .setSubject(String(payload.sub))
    .setAudience(form.get('audience') ?? '')
    .setIssuedAt()
    .setExpirationTime(`${LIFETIME_SECONDS}s`)
    .setJti(randomUUID())
    .sign(privateKey)
  return {
    access_token: token,
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: LIFETIME_SECONDS,
  }
}

listen((request, response) => {
  readForm(request, (form) => {
    exchange(form).then(
      (answer) => answerJson(response, 200, answer),
      () => answerJson(response, 400, { error: 'invalid_grant' }),
    )
  })
})
