// One alias for each kind of request of a function that takes several: what IAM tells them apart by. All lead to the code that
// is deployed.
import { REQUESTS } from './names.ts'

const pascal = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)

const alias = (fn: string, kind: string) => ({
  [`${pascal(fn)}${pascal(kind)}Alias`]: {
    Type: 'AWS::Lambda::Alias',
    Properties: {
      FunctionName: { Ref: `${pascal(fn)}LambdaFunction` },
      // No version is ever published (serverless.yml).
      FunctionVersion: '$LATEST',
      Name: kind,
    },
  },
})

export const aliasResources = Object.assign(
  {},
  ...Object.entries(REQUESTS).flatMap(([fn, kinds]) => kinds.map((kind) => alias(fn, kind))),
)
