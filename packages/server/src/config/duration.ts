const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A whole number and a unit: seconds, minutes, hours or days. */
export const durationPattern = '^[1-9][0-9]{0,8}[smhd]$'

/** A duration that has the pattern, or a number of seconds, in milliseconds. */
export function parseDuration(duration: string | number): number {
  if (typeof duration === 'number') return duration * 1000
  const unit = duration.at(-1) as keyof typeof unitMs
  return Number(duration.slice(0, -1)) * unitMs[unit]
}
