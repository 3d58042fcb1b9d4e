/** Holds up the reading of a data directory until this file is there. */
export function delayRecovery(gate: string): Record<string, string> {
  const code = `
    import fs from 'node:fs'
    const { readdir } = fs.promises
    fs.promises.readdir = async (...call) => {
      while (!fs.existsSync(${JSON.stringify(gate)})) await new Promise(done => setTimeout(done, 20))
      return readdir(...call)
    }`
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` }
}
