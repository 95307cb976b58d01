/** An object of any depth, as TOML gives it. */
export type Tree = Record<string, unknown>

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** The value at a dotted path, or undefined. */
export function getPath(tree: Tree, path: string): unknown {
  let node: unknown = tree
  for (const part of path.split('.')) {
    if (!isTree(node) || !Object.hasOwn(node, part)) return undefined
    node = node[part]
  }
  return node
}

/** A copy of `tree` with `value` at a dotted path. */
export function withPath(tree: Tree, path: string, value: unknown): Tree {
  const [first = '', ...rest] = path.split('.')
  if (rest.length === 0) return { ...tree, [first]: value }
  const inner = tree[first]
  return { ...tree, [first]: withPath(isTree(inner) ? inner : {}, rest.join('.'), value) }
}
