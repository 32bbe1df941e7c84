// oidc-provider ships no types: the few members the peer server uses, and nothing more.
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http'

  export type TokenContext = {
    readonly oidc: {
      readonly params: Readonly<Record<string, string | undefined>>
      readonly client: unknown
      entity(name: string, entity: unknown): void
    }
    body: unknown
    status: number
  }

  type AccessToken = { resourceServer: unknown; save(): Promise<string> }

  export class Provider {
    constructor(issuer: string, configuration: object)
    readonly AccessToken: new (
      properties: object,
    ) => AccessToken
    readonly ResourceServer: new (
      identifier: string,
      settings: object,
    ) => unknown
    registerGrantType(
      name: string,
      handler: (context: TokenContext) => Promise<void>,
      parameters: readonly string[],
    ): void
    callback(): RequestListener
  }
}
