import { reasonOf, RingwardError } from '../errors.ts'
import { parseToml } from './toml-file.ts'

/** A name as it stands in a list of group.toml, with the comma that follows, if one does, and the blanks after that. */
const quoted = (name: string): RegExp => new RegExp(`(["'])${name}\\1(?:[ \\t]*(,)[ \\t]*)?`)

/**
 * The text of group.toml without that server in its list; everything else, comments too, stays as it was written.
 * Throws CONFIGURATION_INVALID when the list is not written plainly enough for that.
 */
export function withoutServer(text: string, name: string): string {
  const former = serversOf(text)
  const start = /^[ \t]*servers[ \t]*=[ \t]*\[/m.exec(text)
  if (!start || !former.includes(name)) throw byHand(name, 'the list does not stand in it as servers = [ … ]')
  const from = start.index + start[0].length
  const rest = text.slice(from)
  const found = quoted(name).exec(rest)
  if (!found) throw byHand(name, 'the name does not stand in the list')
  const last = found[2] === undefined
  let before = rest.slice(0, found.index)
  let after = rest.slice(found.index + found[0].length)
  // The last one leaves the comma of its forerunner, and a line of its own leaves nothing.
  if (last) before = before.replace(/,\s*$/, '')
  if (/(^|\n)[ \t]*$/.test(before) && /^[ \t]*(\n|$)/.test(after)) {
    before = before.replace(/[ \t]*$/, '')
    after = after.replace(/^[ \t]*\n/, '')
  }
  const edited = text.slice(0, from) + before + after
  const wanted = former.filter(each => each !== name)
  if (serversOf(edited).join(' ') !== wanted.join(' ')) throw byHand(name, 'the list is written in another way than names with commas between')
  return edited
}

function serversOf(text: string): string[] {
  const { toml, problem } = parseToml('group.toml', text)
  if (!toml) throw new RingwardError('CONFIGURATION_INVALID', `group.toml:${problem?.line ?? 1}: ${problem?.message ?? reasonOf(problem)}`)
  const { servers } = toml.data
  return Array.isArray(servers) ? servers.filter(each => typeof each === 'string') : []
}

function byHand(name: string, why: string): RingwardError {
  return new RingwardError('CONFIGURATION_INVALID', `group.toml cannot be edited for you: ${why}; take "${name}" out of servers by hand, then run "ringward publish"`)
}
