import { test } from 'node:test'
import { open } from '@kuji/engine'
import { playScript } from './support/conformance/script.ts'
import { grpc, http, library, resp } from './support/conformance/ways.ts'

for (const [name, openWay] of Object.entries({ library, http, resp, grpc })) {
  test(`${name} acts out the script that all ways into kuji share`, async context => {
    const kuji = await open({ durability: 'none' })
    context.after(() => kuji.close())
    await playScript(await openWay(context, kuji), kuji)
  })
}
