// A link in a page of this repository leads to a file or folder that is there, and to a heading or mark in it where it names one.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

const PAGES = globSync(['*.md', '{bench,docs,events,examples,infra,test,tools}/**/*.md'])
const textOf = (page: string): string => readFileSync(page, 'utf8').replace(/```[\s\S]*?```/g, '')

/** As GitHub makes them of headings, and those that are written as marks. */
const anchorsIn = (page: string): ReadonlySet<string> => {
  const text = textOf(page)
  const headings = [...text.matchAll(/^#+\s+(.*)$/gm)].map(([, heading = '']) =>
    heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  )
  return new Set([...headings, ...[...text.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id)])
}

const brokenIn = (page: string): string[] =>
  [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^https?:/.test(link))
    .filter((link) => {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page : normalize(join(dirname(page), path))
      return !existsSync(target) || (anchor !== undefined && target.endsWith('.md') && !anchorsIn(target).has(anchor))
    })

test('there are pages, and links that are seen to lead nowhere', () => {
  expect(PAGES.length).toBeGreaterThan(40)
  expect(anchorsIn('docs/design.md')).toContain('what-it-promises')
  expect(anchorsIn('docs/reference/errors.md')).toContain('malformed_http')
})

test.each(PAGES)('%s', (page) => {
  expect(brokenIn(page)).toEqual([])
})
