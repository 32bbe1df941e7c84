// Whose request is worked on next (limit L5). Held by the process that does the work.

export interface Turns {
  /**
   * True at once while there is room, later when its turn has come; false when there are too many, or it waited too long.
   * After true, leave() is owed once. Neither name is verified: they order what waits and deny nothing for good.
   */
  enter(tenant: string, source: string): Promise<boolean> | boolean
  leave(tenant: string): void
}
