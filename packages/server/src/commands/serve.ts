import type { Command } from 'commander'
import { command } from './outcome.ts'

const examples = `
Examples:
  kuji serve                 a sample campaign: data in ./data, on 127.0.0.1: HTTP 7070, RESP 7071, gRPC 7072
  kuji serve campaign.yaml   a configuration; its paths are relative to the file

Stops on SIGTERM and SIGINT after finishing what is in flight; a second signal forces.`

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('Run a server.')
    .argument('[file]', 'configuration, YAML (docs/configuration.md)')
    .addHelpText('after', examples)
    .action(
      command(async (file: string | undefined) => {
        // Loaded when needed: no other command waits for the HTTP server's code.
        const { serve } = await import('../serve.ts')
        await serve(file)
      }),
    )
}
