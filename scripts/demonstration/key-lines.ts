/** Which lines of the merged log tell the story, and how they are shown. Pure. */
import type { Style } from '../../src/cli/render/style.ts'
import type { LogLine } from './scene.ts'

/** Of the target, but told by every host, or said again by a line that follows. */
const ASIDE = /_is_(not_)?reachable:|_has_generation_|^Start_of_management_of_|^End_of_management_of_|^Find_[RUD]_|^Lease_is_|_is_claimed_by_this_host_/
const MODE_CHANGE = / => /
const SHORTEST_TEXT_CHARACTERS = 20

/** Lines about the target; what concerns other hosts only is left to `log`. */
export function isKeyLine(line: LogLine, target: string): boolean {
  const names = new RegExp(`(^|[^A-Za-z0-9-])${target}([^A-Za-z0-9-]|$)`)
  return names.test(line.text.replaceAll('_', ' ')) && !ASIDE.test(line.text)
}

/** `+1.52 s  login  text`, seconds since the power cut; candidates without the parts of their values. */
export function showLine(line: LogLine, cut_ms: number, width: number, style: Style): string {
  const after = `+${((line.at_ms - cut_ms) / 1_000).toFixed(2)} s`.padStart(10)
  const text = line.text.replace(/ \[[^\]]*\]/g, '')
  const room = Math.max(SHORTEST_TEXT_CHARACTERS, width - after.length - 10)
  const cut = text.length > room ? `${text.slice(0, room - 1)}…` : text
  const tone = line.alarm ? 'bad' : MODE_CHANGE.test(cut) ? 'title' : undefined
  return `${style('faint', after)}  ${line.host.padEnd(6)}  ${tone ? style(tone, cut) : cut}`
}
