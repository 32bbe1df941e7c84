// Which sources are not read for a while when they name a tenant: that tenant's own rate has refused what they sent, which had verified,
// and they did not wait. May forget; never holds longer than LIMITS.pauseMs.

export interface Pauses {
  /** From now on, for LIMITS.pauseMs. Only after a signature verified. */
  pause(source: string, tenant: string): void
  /** Whole seconds that are left of it, or null. Asking does not make it longer. */
  secondsLeft(source: string, tenant: string): number | null
}
