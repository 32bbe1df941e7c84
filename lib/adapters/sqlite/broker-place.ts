// The base URL the broker was last started with: commands beside it judge documents as it does.
import type { Database } from './database.ts'

const KEEP = `INSERT INTO broker_place (id, base_url) VALUES (1, ?1)
  ON CONFLICT (id) DO UPDATE SET base_url = ?1 WHERE base_url <> ?1`

export const keepBaseUrl = async (database: Database, baseUrl: string): Promise<void> => {
  await database.write((sql) => sql(KEEP).run(baseUrl))
}

/** Null: no broker was started on this store yet. */
export const keptBaseUrl = (database: Database): string | null => {
  const row = database.read((sql) => sql('SELECT base_url FROM broker_place').get())
  return row === undefined ? null : String(row['base_url'])
}
