import { type Access, type Caller, scopes } from './caller.ts'

const anonymous: Caller = { name: 'anonymous', scopes: new Set(scopes), admit: () => null }

/** No keys are configured: the server listens on loopback only, and whoever reaches it may do everything. */
export const openAccess: Access = { required: false, authenticate: () => anonymous }
