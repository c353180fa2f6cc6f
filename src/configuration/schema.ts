import { z } from 'zod'
import { RIDE_POLICIES } from '../core/inventory.ts'
import { readExpression } from './expression.ts'
import { PROBE_LIMIT_MS } from './builtin-probes.ts'
import { readAbsolutePath, readAddress, readAddressWithPrefix, readArgument, readDuration, readHostName, readMac, readName, readPeerId, readPowerUser, readSshKey, readUnit, readUserName, type Reading } from './values.ts'

/**
 * What the files may say. The description of each key says what to write; `validate.ts` puts it into the problem.
 * Unknown keys are refused: a misspelt safety setting that is silently ignored is worse than none.
 */

/** Servers in a ring: the thesis ran six, the protocol is written for dozens; beyond this a file is a mistake. */
const SERVERS_LIMIT = 256
const DAEMONS_LIMIT = 16
const STEPS_LIMIT = 32
const SEND_LIMIT = 4_096
/** 64 TiB. */
const MEMORY_LIMIT_MB = 67_108_864
const MINUTE_MS = 60_000

/** Text that a reader turns into a value. */
export function reads<T>(read: (text: string) => Reading<T>) {
  return z.string().transform((text, context): T => {
    const reading = read(text)
    if ('value' in reading) return reading.value
    context.issues.push({ code: 'custom', message: reading.wrong, input: text })
    return z.NEVER
  })
}

const duration = (least_ms: number, most_ms: number) => reads(text => readDuration(text, least_ms, most_ms))
const whole = (least: number, most: number) => z.int().min(least).max(most)
const port = (least: number) => whole(least, 65_535)

/** Unprivileged, and below Linux's ephemeral ports (from 32768); the agents connect to it over TCP. */
export const PEER_PORT = 7_710

/** What most segments of a handful of servers have. */
export const PREFIX_LENGTH = 24

export const groupSchema = z.strictObject({
  profile: z.enum(['careful', 'default', 'fast']).default('default').describe('Write "careful", "default" or "fast".'),
  ride: z.enum(RIDE_POLICIES).default('all').describe('Write "all" or "majority": whose promises carry a function through an outage of the shared area.'),
  // Below 100 ms the quick probes of an examination (protocol 5) would be slower than the rounds.
  interval: duration(100, 10 * MINUTE_MS).optional().describe('Write the monitoring interval, for example interval = "1s", or leave it to the profile.'),
  peer_port: port(1_024).default(PEER_PORT).describe(`Write a port from 1024 to 65535, for example peer_port = ${PEER_PORT}.`),
  // Shorter is no segment of servers, longer has no room for two hosts with their virtual servers.
  prefix_length: whole(8, 29).default(PREFIX_LENGTH).describe(`Write the prefix length of the hosts' network from 8 to 29, for example prefix_length = ${PREFIX_LENGTH}.`),
  gateway: reads(readAddress).optional().describe('Write the default gateway of the virtual servers, for example gateway = "192.0.2.1", or leave it out.'),
  servers: z.array(reads(readName).describe('Write names of files in servers/ without ".toml".')).min(1).max(SERVERS_LIMIT)
    .describe('Write the names of the servers in the order of the ring, for example servers = ["mail", "login", "ftp"].'),
})

const daemonSchema = z.strictObject({
  name: reads(readUnit).describe('Write the systemd service that gives the function, for example name = "postfix".'),
  probe: reads(readName).describe('Write the name of a probe, for example probe = "smtp".'),
})

const virtualServerSchema = z.strictObject({
  name: reads(readName).describe('Write a name for the virtual server, for example name = "mail-v".'),
  address: reads(readAddress).describe('Write the virtual server\'s own address without prefix length, for example address = "192.0.2.31".'),
  memory_mb: whole(16, MEMORY_LIMIT_MB).describe('Write its memory in MB as a whole number, for example memory_mb = 512.'),
  cpus: whole(1, 256).default(1).describe('Write its number of processors, for example cpus = 1.'),
  image: reads(readName).describe('Write the folder below vm/ that holds its image, for example image = "mail".'),
  standby: z.enum(['saved', 'cold'], { error: issue => issue.input === 'warm' ? 'comes with a later version' : undefined }).default('saved').describe('Write "saved" or "cold".'),
  stateless: z.literal(true, { error: issue => issue.input === false ? 'comes with a later version: every start has a fresh disk' : undefined }).default(true)
    .describe('Write stateless = true, and keep what must last on a file server.'),
})

/** A program of one's own takes a handful of arguments. */
const ARGUMENTS_LIMIT = 32

/** A program by its absolute path, and its arguments. */
export const commandWords = z.array(reads(readArgument).describe('Write each argument as text of its own.')).min(1).max(ARGUMENTS_LIMIT).superRefine((words, context) => {
  const reading = readAbsolutePath(words[0] ?? '')
  // An empty list has its own words.
  if (words.length > 0 && 'wrong' in reading) context.addIssue({ code: 'custom', path: [0], message: reading.wrong })
})

const powerSchema = z.strictObject({
  wake_on_lan: z.boolean().default(true).describe('Write true or false.'),
  ipmi: z.strictObject({
    address: reads(readAddress).describe('Write the address of the host\'s power controller (BMC).'),
    user: reads(readPowerUser).describe('Write the user name at the power controller.'),
    password_file: reads(readAbsolutePath).describe('Write the path of a file that every host has, for example "/etc/ringward/keys/ipmi"; never the password.'),
  }).optional().describe('Write a table with address, user and password_file, or leave it out.'),
  command: commandWords.optional().describe('Write the program by its absolute path and its arguments as a list, for example command = ["/usr/local/bin/outlet", "7"], or leave it out.'),
}).superRefine((power, context) => {
  if (power.ipmi && power.command) context.addIssue({ code: 'custom', path: ['command'], message: 'stands beside power.ipmi: only one of the two can say whether the host has power' })
})

const remoteSchema = z.strictObject({
  user: reads(readUserName).default('root').describe('Write the account the ring logs in to, for example user = "root".'),
  port: port(1).default(22).describe('Write the port of its SSH server, for example port = 22.'),
})

export const serverSchema = z.strictObject({
  agent: z.boolean().default(true).describe('Write agent = false for a server on which nothing of ringward runs, or leave it out.'),
  remote: remoteSchema.optional().describe('Write a [remote] table with user and port, or leave it out.'),
  host: reads(readHostName).describe('Write the host name as the command "hostname" prints it, for example host = "mail1".'),
  address: reads(readAddress).describe('Write the host\'s own address without prefix length, for example address = "192.0.2.11".'),
  mac: reads(readMac).describe('Write the address of its network card, for example mac = "52:54:00:00:00:0b".'),
  vip: reads(readAddressWithPrefix).describe('Write the virtual IP with its prefix length, for example vip = "192.0.2.21/24".'),
  type: z.enum(['CPU', 'NETWORK', 'CPU_NET']).describe('Write what the function leans on most: "CPU", "NETWORK" or "CPU_NET".'),
  daemons: z.array(daemonSchema).min(1).max(DAEMONS_LIMIT).describe('Write a [[daemons]] table with name and probe for each service of the function.'),
  virtual_server: virtualServerSchema.describe('Write a [virtual_server] table with name, address, memory_mb and image.'),
  hypervisor: z.enum(['qemu', 'libvirt']).default('qemu').describe('Write what runs virtual servers on this host: "qemu" or "libvirt".'),
  priority: whole(1, 1_000).default(100).describe('Write a number from 1 (first to be restored) to 1000.'),
  return: z.enum(['automatic', 'manual']).default('automatic').describe('Write "automatic" or "manual".'),
  power: powerSchema.optional().describe('Write a [power] table, for example with wake_on_lan = true.'),
  // T_rc = 88 s of the thesis (5.4): about 1.5 times its hosts' reboot.
  reboot_limit: duration(1_000, 60 * MINUTE_MS).default(88_000).describe('Write the longest time a reboot takes, for example reboot_limit = "88s".'),
  memory_mb: whole(16, MEMORY_LIMIT_MB).optional().describe('Write the host\'s memory in MB as a whole number, for example memory_mb = 16384, or leave it out.'),
  cores: whole(1, 4_096).optional().describe('Write the host\'s number of processor cores, for example cores = 8, or leave it out.'),
  peer_id: reads(readPeerId).optional().describe('Copy it from identities/, where "ringward join" writes it, or leave it out.'),
  ssh_host_key: reads(readSshKey).optional().describe('Copy the host\'s /etc/ssh/ssh_host_ed25519_key.pub, or leave it out: "ringward join" does it.'),
})

const stepSchema = z.strictObject({
  expect: reads(readExpression).optional().describe('Write a regular expression for the answer, for example expect = "^220 ".'),
  // The prober sends one byte for each character.
  send: z.string().min(1).max(SEND_LIMIT).regex(/^[\u0000-\u00ff]*$/, { error: 'has characters beyond one byte' }).optional().describe('Write the text to send with its line ends, for example send = "QUIT\\r\\n".'),
}).refine(step => step.expect !== undefined || step.send !== undefined, { message: 'says nothing' })

export const probeSchema = z.strictObject({
  port: port(1).describe('Write the port of the service, for example port = 25.'),
  transport: z.enum(['tcp', 'udp']).default('tcp').describe('Write "tcp" or "udp".'),
  // The longest a target may take and still be called working: a minute is past any client's patience.
  limit: duration(50, MINUTE_MS).default(PROBE_LIMIT_MS).describe('Write the limit of the whole dialogue, for example limit = "3s".'),
  steps: z.array(stepSchema.describe('Write expect, send, or both (expect comes first).')).min(1).max(STEPS_LIMIT).describe('Write a [[steps]] table with expect, send, or both, for each turn of the dialogue.'),
}).check(({ value, issues }) => {
  if (value.transport === 'tcp') return
  const wrong = (index: number, message: string): void => void issues.push({ code: 'custom', message, input: value.steps[index], path: ['steps', index] })
  // There is no connection whose making would say anything: who sends nothing hears nothing, and only an answer shows that somebody listens.
  if (value.steps[0]?.expect !== undefined) wrong(0, 'waits for an answer before anything is sent, which never comes over "udp": begin with a step that only sends')
  if (value.steps.at(-1)?.expect === undefined) wrong(value.steps.length - 1, 'waits for no answer, without which nobody knows over "udp" whether a service is there: end with a step that expects')
})

export const identitySchema = z.object({
  peer_id: reads(readPeerId).describe('Run "ringward join" on that host again.'),
  ssh_host_key: reads(readSshKey).describe('Run "ringward join" on that host again.'),
})

export type GroupFile = z.output<typeof groupSchema>
export type ServerFile = z.output<typeof serverSchema>
export type ProbeFile = z.output<typeof probeSchema>
export type Identity = z.output<typeof identitySchema>
