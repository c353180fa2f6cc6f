/** A line of a simulated ring's log, as scenarios keep it. */
export function logLine(at_ms: number, host: string, text: string): string {
  return `${(at_ms / 1_000).toFixed(3).padStart(9)} ${host.padEnd(6)} ${text}`
}
