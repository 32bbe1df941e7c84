// Comments cite papers that are not here: docs/citations.md says of each section where it stands today.
import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const PAGE = readFileSync('docs/citations.md', 'utf8')
const PAPER = /\b(design|issuers\.md|attacks|tenancy-and-aws\.md|standards) §(\d+(?:\.\d+)?)/g

/** A section stands for its parts, but where the page has them one by one. */
const nameOf = (paper: string, section: string): string =>
  (paper === 'issuers.md' && section.startsWith('0.')) || paper === 'standards'
    ? `§${section}`
    : `§${section.split('.')[0]}`

test('whatever section a comment cites, the page says where it is', () => {
  const sources = globSync('{lib,bin,functions,infra,scripts,test}/**/*.ts').filter(
    (path) => !path.includes('citations'),
  )
  const cited = new Set(
    sources.flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(PAPER)].map(([, paper = '', section = '']) => `${paper} ${section}`),
    ),
  )
  expect(cited.size).toBeGreaterThan(30)
  const missing = [...cited].filter((each) => {
    const [paper = '', section = ''] = each.split(' ')
    const chapter = paper === 'issuers.md' ? (PAGE.split('## issuers.md')[1]?.split('\n## ')[0] ?? '') : PAGE
    const rows = chapter.split('\n').filter((line) => paper === 'issuers.md' || line.startsWith(`| ${paper}`))
    const name = nameOf(paper, section)
    return name !== '§0' && !rows.some((row) => new RegExp(`${name}(?![.\\d])`).test(row.split('|')[1] ?? ''))
  })
  expect(missing).toEqual([])
})

test('the files the page names are there', () => {
  const paths = [...PAGE.matchAll(/`((?:lib|bin|infra|test|tenants)\/[^`]*)`/g)].map(([, path = '']) => path)
  expect(paths.length).toBeGreaterThan(20)
  for (const path of paths) expect(globSync(path.replace(/\/$/, '')), path).toHaveLength(1)
})
