import { join } from 'node:path'

/** The project's folder: told by the launcher when this runs from its bundle. */
export const PROJECT = process.env['RINGWARD_PROJECT'] ?? join(import.meta.dirname, '..', '..')
/** The lab's program, for parts of it that live in a namespace of the lab. */
export const LAB_PROGRAM = join(PROJECT, 'scripts', 'lab')
