// DPoP proofs that were sent beside an access token (RFC 9449 §11.1): each is good once, wherever it is shown first.
export interface ProofGuards {
  /**
   * True the first time, and false from then on until it may be forgotten: of any number of concurrent calls, on any number of
   * processes, one is told true. Proofs redeemed with a record (GrantStore) may be remembered apart from these: a proof names one
   * address, and none of the token endpoint passes for another. Durable when it resolves; throws Unavailable when it cannot tell,
   * and then the proof may be spent.
   */
  spend(tenant: string, guard: { readonly hash: string; readonly keepUntilSeconds: number }): Promise<boolean>
}
