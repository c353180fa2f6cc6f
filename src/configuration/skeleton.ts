import { PEER_PORT, PREFIX_LENGTH } from './schema.ts'

/** Folders of the shared area (docs/configuration.md, "The shared area"). */
export const SHARE_FOLDERS = [
  'servers', 'probes', 'identities', 'program', 'claims', 'releases', 'leases', 'views', 'files', 'incidents', 'log', 'vm',
] as const

const GROUP = `# The ring: what every host must agree on. "ringward check" says what is wrong, "ringward publish" makes it count.

# How fast: "careful" (10 s rounds), "default" (1 s) or "fast" (200 ms).
profile = "default"

# The monitoring interval, when it should differ from the profile's.
# interval = "1s"

# Whose promises carry a function through an outage of the shared area: "all", or "majority" (read docs/configuration.md first: it has a price).
# ride = "all"

# TCP between the hosts.
peer_port = ${PEER_PORT}

# Prefix length of the hosts' network: the virtual servers' own addresses (IPV) have it too.
prefix_length = ${PREFIX_LENGTH}

# The default gateway of the virtual servers, when clients come from other networks.
# gateway = "192.0.2.1"

# Names of files in servers/ in the order of the ring: each server watches the next one.
servers = []
`

const SERVER = `# One server: copy this file to servers/NAME.toml for each, and name them in group.toml.

host = "example1"               # as the command "hostname" prints it
address = "192.0.2.11"          # its own address (IPR)
mac = "52:54:00:00:00:0b"       # of its network card, for Wake-on-LAN
vip = "192.0.2.21/24"           # the virtual IP that clients use
type = "CPU"                    # what the function leans on: "CPU", "NETWORK" or "CPU_NET"

# hypervisor = "qemu"           # or "libvirt": what runs virtual servers of others on this host
# priority = 100                # lower is restored first when several fail at once
# return = "automatic"          # or "manual": the function stays away until "ringward return"
# reboot_limit = "88s"          # the longest time a reboot takes
# memory_mb = 16384             # what the host has; "ringward check" then knows what fits
# cores = 8

# The services that make up the function. Probes that come with the product: smtp, pop3, imap, http, http-proxy, ftp, ssh, dns;
# your own go to probes/.
[[daemons]]
name = "nginx"
probe = "http"

# What takes over: a virtual server, started on another host of the ring.
[virtual_server]
name = "example-v"
address = "192.0.2.31"          # its own address (IPV)
memory_mb = 512
cpus = 1
image = "example"               # folder below vm/ with its image
standby = "saved"               # or "cold"
`

const PROBE = `# A dialogue with a service: write probe = "example" in a daemon to use it.
# In each step the answer must match "expect" first; then "send" is sent.
port = 119
transport = "tcp"                 # or "udp": then the first step only sends, and the last one expects
limit = "3s"                      # of the whole dialogue

[[steps]]
expect = '^20[01] '
send = "QUIT\\r\\n"

[[steps]]
expect = '^205 '
`

/** Path within the shared area → text. */
export const SKELETON_FILES: Readonly<Record<string, string>> = { 'group.toml': GROUP, 'servers/example.toml': SERVER, 'probes/example.toml': PROBE }
