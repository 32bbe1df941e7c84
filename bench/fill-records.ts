// Fills the broker's store with records, in bulk, before it starts: for scale.ts only. Not adapted to the SQLite schema yet.

/**
 * Inserts `count` redeemed grants through the store's own adapter. Returns false while it cannot: then scale.ts says
 * "skipped" for the store instead of printing a number for an empty one.
 */
export const fillRecords = async (_dataDir: string, _count: number): Promise<boolean> => false
