// A gate looks at a rendered template and says what is wrong. Beside it stand faults: each is planted in the true template and
// must be found, so that no gate passes because it looks at nothing.
import type { PolicyPlace, Resource, Statement, Template } from '../../support/packaged-template.ts'

export type Fault = readonly [says: string, plant: (template: Template) => unknown]

export type Gate = {
  /** A sentence: what holds. */
  readonly name: string
  readonly findings: (template: Template) => readonly string[]
  readonly faults: readonly Fault[]
}

export const ofType = (template: Template, ...types: readonly string[]): [id: string, resource: Resource][] =>
  Object.entries(template.Resources).filter(([, { Type }]) => types.includes(Type))

export const at = ({ id, kind }: PolicyPlace, { Sid }: Statement): string => `${id} ${kind} ${Sid}`

type Node = Record<string, unknown>

/** Statements of a role's own policy. */
export const statementsIn = (template: Template, role: string): Node[] =>
  template.Resources[role]!.Properties.Policies[0].PolicyDocument.Statement

/**
 * Sets a property, or takes it away where no value is given: `<logical id>.<property>.…`, or `<logical id>.@<Sid>.…` in a
 * statement of a role's own policy.
 */
export const planted =
  (path: string, value?: unknown) =>
  (template: Template): void => {
    const [id = '', ...steps] = path.split('.')
    const last = steps.pop() ?? ''
    let node = template.Resources[id]?.Properties as Node | undefined
    for (const step of steps)
      node = step.startsWith('@')
        ? statementsIn(template, id).find(({ Sid }) => Sid === step.slice(1))
        : (node?.[step] as Node | undefined)
    if (node === undefined) throw new Error(`the template has no ${path}`)
    if (value === undefined) delete node[last]
    else node[last] = value
  }

/** One resource more. */
export const added =
  (resource: Resource) =>
  (template: Template): void => {
    template.Resources['Planted'] = resource
  }
