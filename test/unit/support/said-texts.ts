import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAst } from 'rolldown/parseAst'
import type { Reason } from '../../../src/errors/reasons.ts'

/** A text that the program says, as far as its source tells it. */
export interface SaidText {
  file: string
  /** With `X` for whatever is filled in; undefined for an expression that is no text. */
  text: string | undefined
  source: string
}

interface Node {
  type: string
  start: number
  end: number
  [key: string]: unknown
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'

/**
 * Every text in `folder` that becomes the property `name` of an object, also by way of a parameter, a
 * constant or a function of that name in the same file. Texts of the CLI's own catalogue (`t(…)`) are left out: that is
 * complete by its type.
 */
export function textsOf(name: string, folder: string): SaidText[] {
  return nodesIn(folder).flatMap(({ file, source, nodes }) => {
    const values = [propertiesOf, argumentsFor, constantsOf, returnsOf].flatMap((find) => find(nodes, name))
    return values.flatMap((value) =>
      textsIn(value, name).map((text) => ({ file, text, source: source.slice(value.start, value.end) })),
    )
  })
}

function nodesIn(folder: string): { file: string; source: string; nodes: Node[] }[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => {
      const source = readFileSync(join(folder, file), 'utf8')
      return { file, source, nodes: allNodes(parseAst(source, { lang: 'ts' })) }
    })
}

/** @param own - leaves out functions inside */
function allNodes(root: unknown, own = false): Node[] {
  if (Array.isArray(root)) return root.flatMap((node) => allNodes(node, own))
  if (!isNode(root) || (own && /Function/.test(root.type))) return []
  return [root, ...Object.values(root).flatMap((node) => allNodes(node, own))]
}

/** `{ hint: … }`, but not the pattern of a parameter. */
function propertiesOf(nodes: readonly Node[], name: string): Node[] {
  const objects = nodes.filter(({ type }) => type === 'ObjectExpression')
  const properties = objects.flatMap(({ properties }) => properties as Node[])
  return properties
    .filter(({ key }) => (key as { name?: string } | undefined)?.name === name)
    .map(({ value }) => value as Node)
}

/** What is passed to functions of the file for a parameter of that name. */
function argumentsFor(nodes: readonly Node[], name: string): Node[] {
  const named = nodes.flatMap((node) => {
    const isVariable = node.type === 'VariableDeclarator'
    const fn = isVariable ? (node['init'] as Node | null) : node
    const called = (node['id'] as { name?: string } | null)?.name
    if (fn === null || called === undefined || !Array.isArray(fn['params'])) return []
    const at = (fn['params'] as { name?: string }[]).findIndex((param) => param.name === name)
    return at === -1 ? [] : [{ called, at }]
  })
  return nodes
    .filter(({ type }) => type === 'CallExpression')
    .flatMap(({ callee, arguments: given }) => {
      const fn = named.find(({ called }) => called === (callee as { name?: string }).name)
      return (given as Node[])[fn?.at ?? -1] ?? []
    })
}

/** What functions such as `hintFor` and `startHint` return. */
function returnsOf(nodes: readonly Node[], name: string): Node[] {
  return nodes
    .filter(({ type, id }) => type === 'FunctionDeclaration' && isMaker(id as { name?: string }, name))
    .flatMap(({ body }) => allNodes(body, true))
    .filter(({ type }) => type === 'ReturnStatement')
    .flatMap(({ argument }) => (isNode(argument) ? argument : []))
}

function isMaker({ name = '' }: { name?: string }, wanted: string): boolean {
  return name.startsWith(`${wanted}For`) || name.endsWith(wanted[0]?.toUpperCase() + wanted.slice(1))
}

/** `const hint = …`, and constants such as `TOKEN_HINT`. */
function constantsOf(nodes: readonly Node[], name: string): Node[] {
  return nodes
    .filter(({ type, id }) => type === 'VariableDeclarator' && isCalled(id as { name?: string }, name))
    .flatMap(({ init }) => (isNode(init) && init.type !== 'ArrowFunctionExpression' ? init : []))
}

function isCalled({ name = '' }: { name?: string }, wanted: string): boolean {
  return name === wanted || name === `${wanted}s` || name.endsWith(`_${wanted.toUpperCase()}`)
}

function textsIn(node: Node, name: string): (string | undefined)[] {
  switch (node.type) {
    case 'Literal':
      return [String(node['value'])]
    case 'TemplateLiteral':
      return [(node['quasis'] as { value: { cooked: string } }[]).map(({ value }) => value.cooked).join('X')]
    case 'ConditionalExpression':
      return [...textsIn(node['consequent'] as Node, name), ...textsIn(node['alternate'] as Node, name)]
    case 'LogicalExpression':
      return [...textsIn(node['left'] as Node, name), ...textsIn(node['right'] as Node, name)]
    case 'Identifier':
      // Found where it is given its value.
      return isCalled(node as { name?: string }, name) || node['name'] === 'undefined' ? [] : [undefined]
    case 'AwaitExpression':
      return textsIn(node['argument'] as Node, name)
    case 'ObjectExpression':
      return (node['properties'] as Node[]).flatMap(({ value }) => textsIn(value as Node, name))
    case 'CallExpression': {
      const callee = node['callee'] as { name?: string }
      return callee.name === 't' || isMaker(callee, name) ? [] : [undefined]
    }
    case 'MemberExpression': {
      // Handed on from another error, or one of a constant.
      const [object, property] = [node['object'], node['property']] as { name?: string }[]
      return property?.name === name || isCalled(object ?? {}, name) ? [] : [undefined]
    }
    default:
      return [undefined]
  }
}

/** The messages of the errors that are made in `folder`; `text` is undefined for one that is no text. */
export function messagesOf(folder: string): (SaidText & { reason: Reason })[] {
  return nodesIn(folder).flatMap(({ file, source, nodes }) =>
    nodes
      .filter(({ type, callee }) => type === 'NewExpression' && isError(callee as { name?: string }))
      .flatMap(({ arguments: given }) => {
        const [reason, message] = given as [Node, Node]
        return textsIn(message, 'message').map((text) => ({
          file,
          text,
          source: source.slice(message.start, message.end),
          reason: reason['value'] as Reason,
        }))
      }),
  )
}

function isError({ name }: { name?: string }): boolean {
  return name === 'EasyNetError'
}
