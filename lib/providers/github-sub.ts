// Reads a GitHub Actions `sub` for people: the classic form of names and the immutable form with ids (issuers.md §2.1).
// For display and for comparing with the id claims only. Nothing is ever decided on it: A4, Sleeper Squats. Pure.

export type GithubSub = {
  readonly form: 'classic' | 'immutable'
  readonly owner: string
  readonly ownerId: string | null
  readonly repository: string
  readonly repositoryId: string | null
  /** What follows the repository: `ref:refs/heads/main`, `environment:production`, `pull_request`. */
  readonly context: string
}

const CLASSIC = /^repo:([A-Za-z0-9_.-]+)\/([A-Za-z0-9_.-]+):(.+)$/s
const IMMUTABLE = /^repo:([A-Za-z0-9_.-]+)@([0-9]+)\/([A-Za-z0-9_.-]+)@([0-9]+):(.+)$/s

/**
 * Takes a `sub` apart, or gives null for a customised one. The delimiter of the immutable form is `@`, which no name may
 * contain; a hyphen (`acme-123/api-456`) is part of a name and so always the classic form.
 */
export const parseGithubSub = (sub: string): GithubSub | null => {
  const [, owner, ownerId, repository, repositoryId, context] = IMMUTABLE.exec(sub) ?? []
  if (owner && ownerId && repository && repositoryId && context)
    return { form: 'immutable', owner, ownerId, repository, repositoryId, context }
  const [, name, repo, rest] = CLASSIC.exec(sub) ?? []
  if (!name || !repo || !rest) return null
  return { form: 'classic', owner: name, ownerId: null, repository: repo, repositoryId: null, context: rest }
}
