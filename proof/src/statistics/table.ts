import type { Outcome, Run } from './campaign.ts'
import type { Check } from './check.ts'

const widths = [42, 14, 22, 9, 9]

/** One line: the name to the left, numbers to the right, the last column as long as it likes. */
function line(name: string, numbers: readonly string[], rest: string): string {
  const padded = numbers.map((text, column) => text.padStart(widths[column + 1]!))
  return [name.padEnd(widths[0]!), ...padded, '', rest].join(' ')
}

export const heading = line('test', ['draws', 'statistic', 'p', 'p corr.'], 'verdict, bias excluded')

/** What came of a check: one line, or two where it ran again. */
export function linesOf({ check, run, rerun, passed }: Outcome): string {
  const verdict = passed ? 'passed' : 'FAILED'
  if (rerun === undefined) return lineOf(check, check.name, run, verdict)
  return `${lineOf(check, check.name, run, 'doubtful')}\n${lineOf(check, '  once more', rerun, verdict)}`
}

function lineOf(check: Check, name: string, run: Run, verdict: string): string {
  const numbers = [
    run.draws.toLocaleString('en'),
    statisticOf(check, run),
    run.p.toPrecision(3),
    run.corrected < 1 ? run.corrected.toPrecision(2) : '1',
  ]
  return line(name, numbers, `${verdict}, ${biasOf(run)} of ${check.of}`)
}

function biasOf({ smallestBias }: Run): string {
  return smallestBias < 10
    ? `${(100 * smallestBias).toPrecision(2)} %`
    : `${Math.round(smallestBias + 1)} times the chance`
}

/** The statistic with its degrees of freedom. */
function statisticOf({ design }: Check, { statistic, degrees }: Run): string {
  if (design.kind === 'rare') return `${statistic} drawn`
  const name = design.kind === 'cells' && design.statistic === 'G' ? 'G' : 'χ²'
  return `${name}(${degrees}) = ${statistic.toFixed(1)}`
}

/** The same for programs. */
export function recordOf({ check, run, rerun, passed }: Outcome): object {
  const { name, counts, of, design } = check
  const runs = [run, ...(rerun === undefined ? [] : [rerun])].map(
    ({ draws, trials, statistic, degrees, p, corrected, smallestBias }) => ({
      ...{ draws, trials, statistic, degrees, p, corrected, smallestBias },
    }),
  )
  const method = design.kind === 'cells' ? `${design.statistic} chi-square` : methods[design.kind]
  return { name, counts, method, biasOf: of, passed, runs }
}

const methods = {
  places: 'Pearson chi-square, corrected for tickets of one drain',
  lags: 'Box-Pierce with known mean and variance',
  rare: 'exact binomial',
}
