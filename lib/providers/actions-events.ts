// `event_name` of GitHub Actions and its descendants, by class (issuers.md §5.4). An event not listed is unknown, so
// untrusted: a platform that adds an event must not thereby widen a grant. Pure.
import type { TriggerClass } from '../domain/wid.ts'

export const ACTIONS_EVENTS: Readonly<Record<string, TriggerClass>> = {
  push: 'push',
  merge_group: 'push',
  create: 'push',
  release: 'release',
  deployment: 'release',
  registry_package: 'release',
  schedule: 'schedule',
  workflow_dispatch: 'manual',
  repository_dispatch: 'api',
  workflow_call: 'upstream',
  pull_request: 'pull_request',
  pull_request_review: 'pull_request',
  pull_request_review_comment: 'pull_request',
  // Foreign code or foreign text with the identity of the base repository: A7, CVE-2026-45321.
  pull_request_target: 'privileged_fork',
  workflow_run: 'privileged_fork',
  issue_comment: 'privileged_fork',
  issues: 'privileged_fork',
  discussion: 'privileged_fork',
  discussion_comment: 'privileged_fork',
  fork: 'privileged_fork',
  watch: 'privileged_fork',
}
