export { checkHistory } from './check.ts'
export type {
  Changed,
  Drawn,
  DrawRequest,
  Finding,
  History,
  LoggedDraws,
  Operation,
  Outcome,
  PutRequest,
  Refused,
  Request,
  Rule,
  Shown,
  ShownItem,
  Status,
  Stock,
} from './history.ts'
export { rules } from './history.ts'
