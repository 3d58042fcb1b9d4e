import type { Caller } from '../access/caller.ts'
import { serverLimits } from '../limits.ts'
import type { Service } from '../service.ts'
import type { ProtocolVersion } from './reply-writer.ts'

/** What a connection has agreed upon with its client. */
export class Session {
  /** Number of the connection. */
  readonly id: number
  /** As the client calls itself. */
  name = ''
  protocol: ProtocolVersion = 2
  /** Who makes the requests; null until a key has been given, where keys are required. */
  caller: Caller | null
  /** The client has asked for the end, or has lost the right to go on. */
  over = false
  readonly #service: Service
  #failedLogins = 0

  constructor(id: number, service: Service) {
    this.id = id
    this.#service = service
    this.caller = anonymous(service)
  }

  /** Throws `UNAUTHENTICATED`; whoever was there before stays. Too many failures end the connection. */
  login(key: string): void {
    try {
      this.caller = this.#service.authenticate(key)
      this.#failedLogins = 0
    } catch (error) {
      this.#failedLogins++
      if (this.#failedLogins === serverLimits.respFailedLogins) this.over = true
      throw error
    }
  }

  /** As it was at first. */
  reset(): void {
    this.name = ''
    this.protocol = 2
    this.caller = anonymous(this.#service)
  }
}

function anonymous(service: Service): Caller | null {
  return service.keysRequired ? null : service.authenticate(undefined)
}
