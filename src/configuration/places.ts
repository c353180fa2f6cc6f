import { resolve } from 'node:path'

/** Every local path of a host, from four roots; the environment may move the roots (tests, several hosts on one machine). */
export interface Places {
  /** Local settings. */
  readonly host_toml: string
  /** 0700 root. */
  readonly keys: string
  /** libp2p identity of this host. */
  readonly identity_key: string
  /** Pre-shared key of the ring. */
  readonly ring_psk: string
  /** SSH private key of the ring's remote hands. */
  readonly hand_key: string
  /** The flag file: management runs while it is there (thesis 5.3). */
  readonly flag: string
  /** Verified copies of the program, one folder per version. */
  readonly program: string
  /** Verified copies of the configuration, one folder per version. */
  readonly data: string
  /** Names the last good copy. */
  readonly current: string
  readonly state: string
  readonly log: string
  /** 0700 root; gone after a reboot. */
  readonly run: string
  readonly guard_socket: string
  readonly guard_state: string
  readonly control_socket: string
  /** Sockets and overlays of virtual servers. */
  readonly virtual_servers: string
}

/** The places of this host; `RINGWARD_ETC`, `RINGWARD_VAR`, `RINGWARD_LOG`, `RINGWARD_RUN` override the roots. */
export function placesOf(environment: NodeJS.ProcessEnv = process.env): Places {
  const root = (name: string, usual: string) => resolve(environment[name] || usual)
  const etc = root('RINGWARD_ETC', '/etc/ringward')
  const variable = root('RINGWARD_VAR', '/var/lib/ringward')
  const run = root('RINGWARD_RUN', '/run/ringward')
  return Object.freeze({
    host_toml: `${etc}/host.toml`, keys: `${etc}/keys`,
    identity_key: `${etc}/keys/identity.key`, ring_psk: `${etc}/keys/ring.psk`, hand_key: `${etc}/keys/hand_key`,
    flag: `${variable}/flag`, program: `${variable}/program`, data: `${variable}/data`, current: `${variable}/current.json`, state: `${variable}/state`,
    log: root('RINGWARD_LOG', '/var/log/ringward'),
    run, guard_socket: `${run}/guard.sock`, guard_state: `${run}/guard-state.json`, control_socket: `${run}/control.sock`, virtual_servers: `${run}/vm`,
  })
}
