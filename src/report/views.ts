/** The thesis's management files (5.2.6, fig. 5.6), rendered for people. Nobody reads them back (protocol 1). */
import { isAgentless, isThere } from '../core/appliance.ts'
import { functionOf, serverOf } from '../core/context.ts'
import { giverOf } from '../core/incident.ts'
import { loadsOf } from '../core/placement.ts'
import { isMember, isPresent } from '../core/presence.ts'
import { rolesOf } from '../core/ring.ts'
import type { State } from '../core/state.ts'

const table = (rows: readonly (readonly (string | number)[])[]): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => String(row[column]).length)))
  return `${rows.map(row => row.map((cell, column) => String(cell).padEnd(widths[column]!)).join('  ').trimEnd()).join('\n')}\n`
}

/** File name under `files/` → text. Only what changes when the ring changes, except `Condition`. */
export function renderViews(state: State): ReadonlyMap<string, string> {
  const present = (name: string): boolean => isPresent(state, name)
  const members = state.order.filter(name => present(name) && isMember(state, name))
  const operation = members.flatMap(manager => rolesOf(state.order, manager, present)
    .filter(role => isThere(state, role.target) && (isMember(state, role.target) || isAgentless(state, role.target))).map(role => [role.priority, manager, role.target, `servers/${role.target}.toml`] as const))
  const separated = state.order.filter(name => (isMember(state, name) || isAgentless(state, name)) && (!isThere(state, name) || functionOf(state, name).claim?.holder !== name))
  const trouble = state.order.flatMap(name => {
    const { claim, release } = functionOf(state, name)
    return claim?.kind === 'virtual' && !release ? [[serverOf(state, name).virtual_server.name, name, claim.holder, giverOf({ state }, name) === undefined ? 'starting' : 'serving'] as const] : []
  })
  return new Map([
    ['Group', table([['number', 'server', 'data'], ...members.map((name, index) => [index + 1, name, `servers/${name}.toml`] as const)])],
    ['Operation', table([['priority', 'manager', 'target', 'data'], ...[...operation].sort((a, b) => a[0] - b[0])])],
    ['Separation', table([['server', 'data'], ...separated.map(name => [name, `servers/${name}.toml`] as const)])],
    ['Trouble', table([['virtual server', 'failed server', 'host', 'state'], ...trouble])],
    ['Condition', table([['host', 'VM', 'memory', 'cpu', 'network'], ...loadsOf(state).map(({ host, virtual_servers, normalised: { memory, cpu, network } }) =>
      [host, virtual_servers, memory.toFixed(0), cpu.toFixed(0), network.toFixed(0)] as const)])],
  ])
}
