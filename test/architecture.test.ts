import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

// The table of docs/architecture.md: a folder may import these folders, and errors, util and model
// (the words everybody shares). Types count as well.
const SHARED = ['errors', 'util', 'model']
const MAY_IMPORT: Record<string, string[]> = {
  errors: [],
  util: ['errors'],
  model: SHARED,
  telemetry: SHARED,
  storage: SHARED,
  config: SHARED,
  identity: [...SHARED, 'storage'],
  network: [...SHARED, 'identity', 'telemetry'],
  protocols: [...SHARED, 'identity', 'telemetry'],
  functions: [...SHARED, 'storage'],
  runtimes: [...SHARED, 'functions', 'telemetry'],
  topology: [...SHARED, 'storage'],
  scheduler: SHARED,
  api: SHARED,
  daemon: [
    ...SHARED,
    'telemetry',
    'storage',
    'config',
    'identity',
    'network',
    'protocols',
    'functions',
    'runtimes',
    'topology',
    'scheduler',
    'api',
  ],
  sdk: SHARED,
  cli: [...SHARED, 'config', 'sdk'],
}
/** The client library has no run-time dependency, so that it stays tiny. */
const NO_PACKAGES = ['sdk', 'errors']
const LIBP2P_ONLY_IN = ['network']

interface Import {
  file: string
  specifier: string
  typeOnly: boolean
}

const root = resolve(import.meta.dirname, '..')
const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => join('src', file))

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  const statements = text.matchAll(
    /^(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|^import\s+()'([^']+)'|\bimport\('([^']+)'\)/gm,
  )
  return [...statements].map((match) => ({
    file,
    specifier: match[2] ?? match[4] ?? match[5] ?? '',
    typeOnly: match[1] !== undefined,
  }))
}

const imports = files.flatMap(importsOf)
const folderOf = (file: string): string => file.split('/')[1] as string
const targetOf = (entry: Import): string => relative(root, join(root, dirname(entry.file), entry.specifier))
const isOurs = (entry: Import): boolean => entry.specifier.startsWith('.')
const name = (entry: Import): string => `${entry.file} imports ${entry.specifier}`

test('every folder is in the table, and the scan sees imports', () => {
  expect(files.map(folderOf).filter((folder) => !(folder in MAY_IMPORT))).toEqual([])
  expect(imports.filter(isOurs).length).toBeGreaterThan(10)
})

test('imports point only where the table allows', () => {
  const wrong = imports.filter(isOurs).filter((entry) => {
    const [from, to] = [folderOf(entry.file), folderOf(targetOf(entry))]
    return from !== to && !(MAY_IMPORT[from] ?? []).includes(to)
  })
  expect(wrong.map(name)).toEqual([])
})

test('a protocol never imports another protocol', () => {
  const protocolOf = (file: string): string | undefined =>
    file
      .split('/')
      .slice(1, 3)
      .join('/')
      .match(/^protocols\/([^.]+)$/)?.[1]
  const wrong = imports.filter(isOurs).filter((entry) => {
    const [from, to] = [protocolOf(entry.file), protocolOf(targetOf(entry))]
    return from !== undefined && to !== undefined && from !== to
  })
  expect(wrong.map(name)).toEqual([])
})

test('only network/ imports values of libp2p', () => {
  const wrong = imports.filter(
    (entry) =>
      /^(libp2p$|@libp2p\/|@multiformats\/)/.test(entry.specifier) &&
      !entry.typeOnly &&
      !LIBP2P_ONLY_IN.includes(folderOf(entry.file)),
  )
  expect(wrong.map(name)).toEqual([])
})

test('the client library needs no package at run time', () => {
  const wrong = imports.filter(
    (entry) =>
      NO_PACKAGES.includes(folderOf(entry.file)) &&
      !isOurs(entry) &&
      !entry.specifier.startsWith('node:') &&
      !entry.typeOnly,
  )
  expect(wrong.map(name)).toEqual([])
})

test('inside src nobody imports a folder through its index', () => {
  const wrong = imports.filter(isOurs).filter((entry) => {
    const target = targetOf(entry)
    return (
      target.endsWith('/index.ts') &&
      dirname(target) !== dirname(entry.file) &&
      folderOf(entry.file) !== 'daemon'
    )
  })
  expect(wrong.map(name)).toEqual([])
})
