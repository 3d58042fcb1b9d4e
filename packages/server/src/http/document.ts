import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { version } from '../version.ts'
import type { HttpApp } from './app.ts'

/** The page has its scripts and styles from here, and may talk to this server alone. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const description =
  'Pools of prizes, drawn at random: never more than the stock, never twice for one request, never answered before ' +
  'the outcome is safe. Every refusal is a problem document with a stable `code`.'

/** Gathers the routes that are added behind this into one OpenAPI document, made of the schemas that check requests. */
export async function gatherDocument(app: HttpApp, keysRequired: boolean): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'kuji', version, description, license: { name: 'MIT', identifier: 'MIT' } },
      servers: [{ url: '/' }],
      tags: [
        { name: 'draws', description: 'Drawing, and looking up what was drawn.' },
        { name: 'pools', description: 'Rules, stock and odds.' },
        { name: 'events', description: 'What happens, as it happens.' },
        { name: 'operation', description: 'For whoever runs the server.' },
      ],
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', description: 'An API key of the configuration.' },
        },
      },
      security: keysRequired ? [{ key: [] }] : [{}, { key: [] }],
    },
    transformObject: document => polish((document as { openapiObject: OpenApi }).openapiObject),
  })
}

export function addDocumentRoute(app: HttpApp): void {
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}

/** The page that shows the document. */
export async function addDocumentPage(app: HttpApp): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: contentSecurityPolicy,
    theme: { title: 'kuji: HTTP' },
    // Without the bar on top, which asks for the address of another document.
    uiConfig: { layout: 'BaseLayout' },
  })
}

type Json = Record<string, unknown>

interface OpenApi {
  readonly components: { schemas: Json }
  readonly paths: Record<string, Record<string, { requestBody?: RequestBody }>>
}

interface RequestBody {
  required: boolean
  readonly content: Record<string, { readonly schema: Json }>
}

/**
 * What the plug-in does not know: a schema with a title stands once, as a component of that name; a body may be left
 * out where no field of it has to be there; and a body without fields is none.
 */
function polish(document: OpenApi): OpenApi {
  for (const operation of Object.values(document.paths).flatMap(path => Object.values(path))) {
    const schema = operation.requestBody?.content['application/json']?.schema
    if (schema === undefined) continue
    if (Object.keys(schema.properties as Json).length === 0) delete operation.requestBody
    else operation.requestBody!.required = schema.required !== undefined || schema.minProperties !== undefined
  }
  document.components.schemas = {}
  hoist(document.paths, document.components.schemas)
  return document
}

/** Moves what has a title to the components, those inside of it first, and leaves references. */
function hoist(node: object, components: Json): void {
  for (const [name, child] of Object.entries(node) as [string, Json][]) {
    if (typeof child !== 'object' || child === null || name === 'examples' || name === 'example') continue
    hoist(child, components)
    const { title } = child
    if (typeof title !== 'string') continue
    components[title] = child
    ;(node as Json)[name] = { $ref: `#/components/schemas/${title}` }
  }
}
