import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import type { Inventory } from '../core/inventory.ts'
import { reasonOf } from '../errors.ts'
import { pathOf } from './layout.ts'
import type { Problem } from './problem.ts'
import { parseToml } from './toml-file.ts'
import { valueAt } from './validate.ts'

/** Any host may have to ask for the power of any other: what this host could not start for that, each at its place in the configuration. */
export async function unusablePowerPrograms({ servers }: Inventory, self: string, files: ReadonlyMap<string, string>): Promise<Problem[]> {
  const found = await Promise.all(servers.map(async ({ name, power }): Promise<Problem[]> => {
    const program = power.command?.[0]
    const trouble = name === self || program === undefined ? undefined : await troubleWith(program)
    const file = pathOf('servers', name)
    const { toml } = parseToml(file, files.get(file) ?? '')
    if (trouble === undefined || !toml) return []
    const is_ipmi = valueAt(toml.data, ['power', 'ipmi']) !== undefined
    return [toml.problem(is_ipmi ? ['power', 'ipmi'] : ['power', 'command', 0], `${trouble}, so this host can neither see that ${name} has no power nor switch it on. ${is_ipmi ? 'Run "apt-get install ipmitool"' : 'Put the program there, executable'}, on every host of the ring.`)]
  }))
  return found.flat()
}

async function troubleWith(program: string): Promise<string | undefined> {
  try {
    if (!(await stat(program)).isFile()) return `${program} is no program`
    await access(program, constants.X_OK)
    return undefined
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return code === 'ENOENT' || code === 'ENOTDIR' ? `${program} is not on this host` : code === 'EACCES' ? `${program} may not be executed here` : `${program} cannot be looked at (${reasonOf(error)})`
  }
}
