/**
 * Milliseconds that this process has computed for, on all of its threads. What others do on the machine does not count,
 * nor does a wait: something that takes minutes instead of an instant is told from a machine that is busy.
 */
export function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
