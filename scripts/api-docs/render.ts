import {
  type ApiDocument,
  componentName,
  type DocumentedResponse,
  exampleOf,
  type MediaType,
  type Operation,
  operationsOf,
  resolve,
  type Schema,
} from './document.ts'

/** docs/api.md: the hand-written beginning, then every operation and object of the document. */
export function renderApiDocs(document: ApiDocument, intro: string): string {
  const common = commonErrors(document)
  const operations = document.tags.flatMap(({ name, description }) => [
    `## ${name[0]?.toUpperCase() ?? ''}${name.slice(1)}`,
    description,
    ...operationsOf(document)
      .filter(({ operation }) => operation.tags[0] === name)
      .flatMap(({ method, path, operation }) => renderOperation(document, method, path, operation, common)),
  ])
  const parts = [
    intro
      .trim()
      .replace('OPERATIONS', () => renderOverview(document))
      .replace('COMMON_ERRORS', () => renderCommonErrors(document, common)),
    ...operations,
    '## Objects',
    ...objectsOf(document).flatMap(([name, schema]) => renderObject(document, name, schema)),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function renderOverview(document: ApiDocument): string {
  return table(
    ['', ''],
    document.tags.flatMap(({ name }) =>
      operationsOf(document)
        .filter(({ operation }) => operation.tags[0] === name)
        .map(({ method, path, operation }) => [`\`${method} ${path}\``, link(operation.summary)]),
    ),
  )
}

/** Errors that every operation with a token has. */
function commonErrors(document: ApiDocument): string[] {
  const all = operationsOf(document)
    .filter(({ operation }) => operation.security === undefined)
    .map(({ operation }) => Object.keys(operation.responses))
  return (all[0] ?? []).filter((status) => all.every((statuses) => statuses.includes(status)))
}

function renderCommonErrors(document: ApiDocument, common: readonly string[]): string {
  const guarded = operationsOf(document).find(({ operation }) => operation.security === undefined)
  return table(
    ['status', ''],
    common.map((status) => [status, guarded?.operation.responses[status]?.description ?? '']),
  )
}

function renderOperation(
  document: ApiDocument,
  method: string,
  path: string,
  operation: Operation,
  common: readonly string[],
): string[] {
  const body = operation.requestBody?.content['application/json']
  const answers = Object.entries(operation.responses).filter(([status]) => !common.includes(status))
  const samples = operation['x-codeSamples'] ?? []
  return [
    `### ${operation.summary}`,
    `\`${method} ${path}\``,
    linkFiles(operation.description ?? ''),
    ...renderParameters(operation),
    ...(body === undefined
      ? []
      : [`The body is a ${typeText(body.schema)}:`, fieldTable(document, body.schema)]),
    ...samples.flatMap(({ source }) => [
      `<!-- run ${operation.operationId} -->\n\`\`\`sh\n${source}\n\`\`\``,
    ]),
    table(
      ['status', 'body', ''],
      answers.map(([status, answer]) => [status, bodyText(answer), answer.description]),
    ),
    ...answers.flatMap(([, answer]) => renderAnswer(document, answer)),
  ]
}

function renderParameters({ parameters = [] }: Operation): string[] {
  if (parameters.length === 0) return []
  const rows = parameters.map((one) => [
    `\`${one.name}\``,
    one.in,
    typeText(one.schema) + (one.required ? ', required' : ''),
    one.description ?? '',
  ])
  return [table(['parameter', 'in', 'type', ''], rows)]
}

function bodyText({ content = {} }: DocumentedResponse): string {
  const texts = Object.entries(content).map(([type, { schema }]) =>
    type === 'application/json' ? (membersText(schema) ?? typeText(schema)) : `\`${type}\``,
  )
  return texts.length === 0 ? 'none' : texts.join(' or ')
}

/** A small object in one line. */
function membersText({ properties }: Schema): string | undefined {
  if (properties === undefined) return undefined
  return Object.entries(properties)
    .map(([name, part]) => `\`${name}\`: ${typeText(part)}`)
    .join(', ')
}

function renderAnswer(document: ApiDocument, { headers = {}, content = {} }: DocumentedResponse): string[] {
  const json = content['application/json']
  const events = content['text/event-stream']
  const isError = json !== undefined && componentName(json.schema) === 'Error'
  const example = json === undefined || isError ? undefined : exampleOf(document, json.schema)
  const named = Object.entries(headers).map(
    ([name, { description = '' }]) => `Header \`${name}\`: ${description}`,
  )
  return [
    ...named,
    ...(example === undefined ? [] : [codeBlock(example)]),
    ...(events === undefined ? [] : renderEvents(document, events)),
  ]
}

function renderEvents(document: ApiDocument, { 'x-events': events = {} }: MediaType): string[] {
  const rows = Object.entries(events).map(([type, schema]) => {
    const fields = Object.entries(resolve(document, schema).properties ?? {})
    return [`\`${type}\``, typeText(schema), fields.map(([name]) => `\`${name}\``).join(', ')]
  })
  return [table(['event', '`data`', 'with'], rows)]
}

/** The components, in the order of their names. */
function objectsOf(document: ApiDocument): [string, Schema][] {
  return Object.entries(document.components.schemas).sort(([a], [b]) => a.localeCompare(b))
}

function renderObject(document: ApiDocument, name: string, schema: Schema): string[] {
  return [`### ${name}`, schema.description ?? '', fieldTable(document, schema)]
}

function fieldTable(document: ApiDocument, schema: Schema): string {
  return table(['field', 'type', ''], fieldsOf(document, resolve(document, schema), ''))
}

function fieldsOf(document: ApiDocument, schema: Schema, prefix: string): string[][] {
  const inherited = (schema.allOf ?? []).flatMap((part) =>
    fieldsOf(document, resolve(document, part), prefix),
  )
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, part]) => {
    const isRequired = schema.required?.includes(name) === true
    const path = prefix + name
    const row = [`\`${path}\``, typeText(part) + (isRequired ? '' : ', optional'), part.description ?? '']
    const inner = part.type === 'array' ? part.items : part
    const below =
      inner?.properties === undefined
        ? []
        : fieldsOf(document, inner, `${path}${part.type === 'array' ? '[]' : ''}.`)
    return [row, ...below]
  })
  return [...inherited, ...own]
}

function typeText(schema: Schema): string {
  const reference = componentName(schema)
  if (reference !== undefined) return link(reference)
  if (schema.enum !== undefined && schema.enum.length > 16) return 'one of a closed set'
  if (schema.enum !== undefined)
    return schema.enum.map((one) => `\`${JSON.stringify(one).replaceAll('"', '')}\``).join(' or ')
  const types = [schema.type ?? 'any value'].flat()
  const words = types.map((type) => {
    if (type === 'array') return `list of ${plural(schema.items)}`
    return type
  })
  return words.join(' or ') + rangeText(schema)
}

function plural(items: Schema | undefined): string {
  if (items === undefined || Object.keys(items).length === 0) return 'any values'
  const text = typeText(items)
  return items.$ref === undefined ? `${text}s` : text
}

function rangeText({ minLength, maxLength, minimum, maximum, maxItems }: Schema): string {
  if (maxItems !== undefined) return `, at most ${maxItems}`
  if (maxLength !== undefined) return `, ${minLength ?? 0} to ${maxLength} characters`
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`
  return minimum === undefined ? '' : `, at least ${minimum}`
}

const link = (heading: string): string =>
  `[${heading}](#${heading
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-')})`

/** Files are named from the root of the checkout; the page is in docs/. */
const linkFiles = (text: string): string =>
  text.replaceAll(/docs\/([\w/-]+\.md)(?!\w)/g, (file, path: string) => `[${file}](${path})`)

const codeBlock = (value: unknown): string => `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}
