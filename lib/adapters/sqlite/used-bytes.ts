// What a database takes of the disk for its rows: pages in use. Those that are free are written again before the file grows.
import type { Database } from './database.ts'

export const usedBytes = (database: Database): number =>
  database.read((sql) => {
    const pragma = (name: string): number => Number(Object.values(sql(`PRAGMA ${name}`).get() ?? {})[0])
    return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size')
  })
