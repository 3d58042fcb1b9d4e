import { dirname, join } from 'node:path'
import * as ast from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/sync'
import { root } from './repository.ts'

/** One import, re-export or dynamic import. */
export interface SourceImport {
  readonly specifier: string
  /** The file it leads to, relative to the root, where the specifier is a relative one. */
  readonly file: string | undefined
  /** Names taken, as the other file exports them; `*` for all. */
  readonly names: readonly string[]
}

export interface SourceExport {
  readonly name: string
  /** Another export of the file speaks of this type, so that its readers need the name. */
  readonly spokenOf: boolean
}

export interface SourceFunction {
  readonly name: string
  readonly line: number
  readonly lines: number
}

/** What the house rules ask of a file, taken from the compiler's own syntax tree. */
export interface SourceFile {
  readonly path: string
  readonly text: string
  readonly imports: readonly SourceImport[]
  readonly exports: readonly SourceExport[]
  readonly functions: readonly SourceFunction[]
  /** Names used that are not a property's: globals among them; and `Math.random` as it stands. */
  readonly names: ReadonlySet<string>
}

/** The files of the TypeScript project, by path. The compiler's version is pinned, so its API is too. */
export function readSourceFiles(): Map<string, SourceFile> {
  const api = new API({ cwd: root })
  try {
    const project = api.updateSnapshot({ openProjects: ['tsconfig.json'] }).getProjects()[0]!
    const files = new Map<string, SourceFile>()
    for (const name of project.rootFiles) {
      const path = name.slice(join(root, '/').length)
      files.set(path, readSourceFile(path, project.program.getSourceFile(name)!))
    }
    return files
  } finally {
    api.close()
  }
}

function readSourceFile(path: string, tree: ast.SourceFile): SourceFile {
  const imports: SourceImport[] = []
  const functions: SourceFunction[] = []
  const names = new Set<string>()
  const visit = (node: ast.Node): void => {
    const found = readImport(node)
    if (found !== undefined) imports.push({ ...found, file: resolveRelative(path, found.specifier) })
    if (ast.isFunctionLikeDeclaration(node)) functions.push(measureFunction(tree, node))
    if (ast.isIdentifier(node) && !isPropertyName(node)) names.add(node.text)
    if (ast.isPropertyAccessExpression(node) && node.getText() === 'Math.random') names.add('Math.random')
    node.forEachChild(visit)
  }
  tree.forEachChild(visit)
  return { path, text: tree.text, imports, exports: readExports(tree), functions, names }
}

function readImport(node: ast.Node): { specifier: string; names: string[] } | undefined {
  if (ast.isImportDeclaration(node)) {
    const { importClause, moduleSpecifier } = node
    return { specifier: textOf(moduleSpecifier), names: namesOf(importClause) }
  }
  if (ast.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return { specifier: textOf(node.moduleSpecifier), names: specifiersOf(node.exportClause) }
  }
  const dynamic = ast.isCallExpression(node) && node.expression.kind === ast.SyntaxKind.ImportKeyword
  if (dynamic && ast.isStringLiteral(node.arguments[0]!)) {
    return { specifier: textOf(node.arguments[0]), names: ['*'] }
  }
  if (ast.isNewExpression(node) && node.expression.getText() === 'URL') return readThreadStart(node)
  if (ast.isImportTypeNode(node)) return { specifier: node.argument.getText().slice(1, -1), names: ['*'] }
  return undefined
}

/** A thread is started from `new URL('./thread.…', import.meta.url)`, with the extension of the file that runs. */
function readThreadStart(node: ast.NewExpression): { specifier: string; names: string[] } | undefined {
  const file = /^.(\.{1,2}\/[\w./-]+)\.(?:ts|\$\{extension\}).$/.exec(
    node.arguments?.[0]?.getText() ?? '',
  )?.[1]
  return file === undefined ? undefined : { specifier: `${file}.ts`, names: ['*'] }
}

function namesOf(clause: ast.ImportClause | undefined): string[] {
  if (clause === undefined) return []
  const byDefault = clause.name === undefined ? [] : ['default']
  return clause.namedBindings === undefined
    ? byDefault
    : [...byDefault, ...specifiersOf(clause.namedBindings)]
}

function specifiersOf(bindings: ast.Node | undefined): string[] {
  if (bindings === undefined) return ['*']
  if (!ast.isNamedImports(bindings) && !ast.isNamedExports(bindings)) return ['*']
  return bindings.elements.map(element => (element.propertyName ?? element.name).text)
}

function textOf(node: ast.Node): string {
  return (node as ast.StringLiteral).text
}

function resolveRelative(path: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? join(dirname(path), specifier) : undefined
}

function isPropertyName(node: ast.Identifier): boolean {
  const { parent } = node
  if (ast.isPropertyAccessExpression(parent)) return parent.name === node
  const names: readonly ast.SyntaxKind[] = [
    ast.SyntaxKind.PropertyAssignment,
    ast.SyntaxKind.PropertySignature,
    ast.SyntaxKind.PropertyDeclaration,
    ast.SyntaxKind.MethodDeclaration,
  ]
  return names.includes(parent.kind) && nameOf(parent) === node
}

function nameOf(node: ast.Node): ast.Node | undefined {
  return (node as { name?: ast.Node }).name
}

function measureFunction(tree: ast.SourceFile, node: ast.FunctionLikeDeclaration): SourceFunction {
  const first = tree.getLineAndCharacterOfPosition(node.getStart()).line
  const last = tree.getLineAndCharacterOfPosition(node.end).line
  return { name: nameOf(node)?.getText() ?? 'a function', line: first + 1, lines: last - first + 1 }
}

function readExports(tree: ast.SourceFile): SourceExport[] {
  const declared: { name: string; statement: ast.Node }[] = []
  const listed: string[] = []
  for (const statement of tree.statements) {
    if (ast.isExportDeclaration(statement) && statement.exportClause !== undefined) {
      if (ast.isNamedExports(statement.exportClause))
        listed.push(...statement.exportClause.elements.map(element => element.name.text))
    } else if (isExported(statement)) {
      for (const name of declaredNames(statement)) declared.push({ name, statement })
    }
  }
  const spokenOf = ({ name, statement }: (typeof declared)[number]): boolean =>
    isType(statement) &&
    declared.some(other => other.statement !== statement && speaksOf(other.statement, name))
  return [
    ...declared.map(entry => ({ name: entry.name, spokenOf: spokenOf(entry) })),
    ...listed.map(name => ({ name, spokenOf: false })),
  ]
}

function isExported(statement: ast.Node): boolean {
  const { modifiers } = statement as { modifiers?: readonly ast.Node[] }
  return modifiers?.some(({ kind }) => kind === ast.SyntaxKind.ExportKeyword) ?? false
}

function isType(statement: ast.Node): boolean {
  return ast.isInterfaceDeclaration(statement) || ast.isTypeAliasDeclaration(statement)
}

function declaredNames(statement: ast.Node): string[] {
  if (ast.isVariableStatement(statement))
    return statement.declarationList.declarations.map(({ name }) => name.getText())
  return [nameOf(statement)?.getText() ?? 'default']
}

function speaksOf(node: ast.Node, name: string): boolean {
  if (ast.isIdentifier(node) && node.text === name) return true
  return node.forEachChild(child => speaksOf(child, name) || undefined) ?? false
}
