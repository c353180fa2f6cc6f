import { dirname, join } from 'node:path'
import { placesOf, type Places } from '../src/configuration/places.ts'

/** The places of the host, and what only the Executer uses. */
export interface ExecuterPlaces extends Places {
  /** What is running, for the next Executer and for people; gone after a reboot. */
  readonly session: string
  /** The share helper installed beside the Executer: it must work before anything was fetched. */
  readonly share_helper: string
  /** Handed on to the children, so that they look in the same places. */
  readonly environment: Readonly<Record<string, string>>
}

const ROOTS = ['RINGWARD_ETC', 'RINGWARD_VAR', 'RINGWARD_LOG', 'RINGWARD_RUN'] as const

/** `installed` is the folder of the host side (`/usr/local/lib/ringward`). */
export function executerPlaces(environment: NodeJS.ProcessEnv, installed: string): ExecuterPlaces {
  const places = placesOf(environment)
  const handed: Record<string, string> = {}
  for (const root of ROOTS) {
    const value = environment[root]
    if (value) handed[root] = value
  }
  return { ...places, session: join(places.run, 'executer.json'), share_helper: join(installed, 'share-helper.mjs'), environment: handed }
}

/** The folder of the flag file must be there to be watched. */
export function flagFolder(places: Places): string {
  return dirname(places.flag)
}
