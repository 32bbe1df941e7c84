// Wakes whoever pushes to a tenant's receivers. A wake may be lost, come late or twice: what is owed stands in the store.

export interface Wakes {
  /** After at least `delayMs`, at most a minute and some seconds. Throws Unavailable. */
  wake(tenant: string, delayMs: number): Promise<void>
}
