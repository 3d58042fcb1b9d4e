import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { codes } from '@kuji/engine'
import { sampleConfiguration } from '../packages/server/src/config/sample.ts'
import { findBlocks, ReadmeSession } from './support/readme-session.ts'
import { listFiles, readTable, readText, root } from './support/repository.ts'

const documents = listFiles().filter(name => name.endsWith('.md'))

test('docs/errors.md has every code of the contract, with its statuses and meaning, and no other', () => {
  const lines = readText('docs/errors.md').split('\n')
  const end = lines.findIndex(line => line.startsWith('## '))
  const rows = readTable(lines.slice(0, end))
  const documented = rows.map(([code, status, grpc, meaning]) => [
    code,
    Number(status),
    Number.parseInt(grpc ?? '', 10),
    meaning,
  ])
  assert.deepEqual(
    documented,
    Object.entries(codes).map(([code, { status, grpc, meaning }]) => [code, status, grpc, meaning]),
  )
  for (const [code, , , , advice] of rows)
    assert.ok(advice !== undefined && advice.length > 10, `${code}: what to do?`)
})

/** Anchors of a document's headings, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const headings = withoutCode(text).filter(line => /^#{1,6} /.test(line))
  return new Set(
    headings.map(line =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-'),
    ),
  )
}

/** Lines outside of fenced blocks. */
function withoutCode(text: string): string[] {
  let fenced = false
  return text.split('\n').filter(line => {
    if (/^\s*```/.test(line)) {
      fenced = !fenced
      return false
    }
    return !fenced
  })
}

test('links between documents lead somewhere', () => {
  const broken: string[] = []
  for (const file of documents) {
    const prose = withoutCode(readText(file))
      .join('\n')
      .replaceAll(/`[^`]*`/g, '')
    for (const [, link = ''] of prose.matchAll(/\]\(([^)\s]+)(?:\s"[^"]*")?\)/g)) {
      if (/^[a-z]+:/.test(link)) continue
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? file : join(dirname(file), path)
      if (!existsSync(join(root, target))) broken.push(`${file}: ${link}`)
      else if (anchor !== undefined && target.endsWith('.md') && !anchorsOf(readText(target)).has(anchor))
        broken.push(`${file}: ${link}: no such heading`)
    }
  }
  assert.deepEqual(broken, [])
})

test('a key of an example stands on one page alone: a reader of two would meet KEY_CONFLICT', () => {
  const pages = new Map<string, Set<string>>()
  for (const file of [...documents, ...listFiles().filter(name => name.startsWith('examples/'))]) {
    for (const [key] of readText(file).matchAll(/\border-\d+\b/g))
      pages.set(key, (pages.get(key) ?? new Set()).add(file))
  }
  assert.ok(pages.size > 10)
  const shared = [...pages].filter(([, files]) => files.size > 1)
  assert.deepEqual(
    shared.map(([key, files]) => `${key}: ${[...files].join(', ')}`),
    [],
  )
})

test('the commands and programs of the README run, and those of the packages', {
  timeout: 1_200_000,
}, async context => {
  if (!existsSync(join(root, 'README.md'))) return context.skip('there is no README.md yet')
  const blocks = findBlocks(readText('README.md'))
  const marked = blocks.filter(({ name }) => name !== undefined)
  assert.ok(marked.length > 0, 'no block is marked: see CONTRIBUTING.md')
  // What is not run here is run by .ci/run, in a clean clone.
  const ci = readText('.ci/run')
  for (const { line, text } of blocks.filter(
    ({ language, name }) => language === 'sh' && name === undefined,
  )) {
    for (const command of text.split(/\n| && /).filter(part => part.trim() !== ''))
      assert.ok(ci.includes(command.trim()), `README.md:${line}: neither marked nor in .ci/run: ${command}`)
  }
  const session = ReadmeSession.start(context)
  await session.serve(sampleConfiguration)
  for (const block of marked) await session.run(block)
  const ofPackages = ['engine', 'client'].flatMap(name => findBlocks(readText(`packages/${name}/README.md`)))
  for (const block of [...blocks, ...ofPackages])
    if (block.language === 'ts' && block.name === undefined) await session.run(block)
})
