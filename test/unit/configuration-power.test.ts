import { describe, expect, it } from 'vitest'
import { loadConfiguration } from '../../src/configuration/load.ts'
import { changed } from './configuration-ring.ts'

const MAIL = 'servers/mail.toml'
const load = (power: string) => loadConfiguration(changed(MAIL, '[virtual_server]', `[power]\n${power}\n\n[virtual_server]`))
const problemsOf = (power: string): string[] => load(power).problems.map(({ message }) => message)

describe('[power]', () => {
  it('takes a program by its absolute path, with arguments', () => {
    const { inventory, problems, warnings } = load('command = ["/usr/local/bin/outlet", "7"]')
    expect([problems, warnings]).toEqual([[], []])
    expect(inventory?.servers[0]?.power).toEqual({ wake_on_lan: true, command: ['/usr/local/bin/outlet', '7'] })
  })

  it('makes the command of an IPMI controller, the password in a file', () => {
    const { inventory, problems } = load('wake_on_lan = false\n[power.ipmi]\naddress = "192.0.2.71"\nuser = "ringward"\npassword_file = "/etc/ringward/keys/ipmi"')
    expect(problems).toEqual([])
    expect(inventory?.servers[0]?.power).toEqual({
      wake_on_lan: false, command: ['/usr/bin/ipmitool', '-I', 'lanplus', '-H', '192.0.2.71', '-U', 'ringward', '-f', '/etc/ringward/keys/ipmi', 'chassis', 'power'],
    })
  })

  it.each([
    ['command = ["outlet", "7"]', 'power.command 1 = "outlet" is not an absolute path'],
    ['command = ["/usr/bin/outlet", ""]', 'power.command 2 = "" is empty'],
    ['command = ["/usr/bin/outlet", "a\\nb"]', 'is no argument'],
    ['command = []', 'power.command is empty'],
    [`command = ["/usr/bin/outlet"${', "1"'.repeat(32)}]`, 'has more than 32 entries'],
    ['command = ["/usr/bin/outlet"]\n[power.ipmi]\naddress = "192.0.2.71"\nuser = "a"\npassword_file = "/p"', 'stands beside power.ipmi'],
    ['[power.ipmi]\naddress = "192.0.2.71"\nuser = "-x"\npassword_file = "/p"', 'is not a user name'],
    ['[power.ipmi]\naddress = "192.0.2.71"\nuser = "a"\npassword_file = "p"', 'is not an absolute path'],
  ])('refuses %s', (power, words) => {
    expect(problemsOf(power)).toEqual([expect.stringContaining(words)])
  })
})
