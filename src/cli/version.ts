/** Set by the build to package.json's version; absent when the sources run as they are. */
export const VERSION = process.env.RINGWARD_VERSION ?? 'development'
