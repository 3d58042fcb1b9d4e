import { type Kuji, KujiError, open } from '@kuji/engine'
import { openAccess } from '../../../packages/server/src/access/open-access.ts'
import type { Logger } from '../../../packages/server/src/logger.ts'
import { RecoveringEngine } from '../../../packages/server/src/recovering-engine.ts'
import { Service } from '../../../packages/server/src/service.ts'
import { Defect } from './target.ts'

/** A server's service over pools in memory, the same ones for each input. */
export class ServiceOnTrial {
  readonly service: Service
  readonly log: Logger
  #kuji: Kuji | null = null
  #defect: unknown = null

  constructor() {
    this.log = {
      info: () => undefined,
      warn: () => undefined,
      error: () => undefined,
      defect: (message, error) => {
        this.#defect = new Defect(`logged as a defect: ${message}`, { cause: error })
      },
    }
    this.service = new Service(new RecoveringEngine('none'), openAccess, this.log)
  }

  /** Puts the pools back to what they were at first. */
  async reset(): Promise<void> {
    this.#defect = null
    await this.#kuji?.close()
    const kuji = await open({ durability: 'none' })
    await kuji.putPool({
      id: 'summer',
      items: [
        { id: 'diamond', weight: 0.5, stock: 100, metadata: { rarity: 5 } },
        { id: 'mud', weight: 99.5, stock: 'unlimited' },
      ],
      fallback: 'mud',
    })
    await kuji.putPool({
      id: 'box',
      mode: 'urn',
      items: [
        { id: 'a', stock: 3 },
        { id: 'last', stock: 1 },
      ],
      lastOne: 'last',
    })
    await kuji.draw('summer', { key: 'k', recipient: 'r' })
    this.service.serve(kuji)
    this.#kuji = kuji
  }

  /** Throws what was logged as a defect, and where an engine that was changed does not answer as it should. */
  async check(changed: boolean): Promise<void> {
    const defect = this.#defect
    this.#defect = null
    if (defect !== null) throw defect
    const kuji = this.#kuji!
    const { state } = kuji.status()
    if (state !== 'open') throw new Defect(`the engine is ${state}`)
    if (!changed) return
    for (const { id } of await kuji.pools({ limit: 10 })) {
      await kuji.pool(id)
      try {
        await kuji.draw(id, { count: 2, partial: true })
      } catch (error) {
        if (!(error instanceof KujiError) || error.code === 'INTERNAL') throw error
      }
    }
  }

  async close(): Promise<void> {
    await this.#kuji?.close()
  }
}
