import type { StreamMuxerFactory } from '@libp2p/interface'

/**
 * A muxer whose abort never throws. yamux says goodbye even when its connection is closed already; that throws inside libp2p's connection monitor,
 * where nobody can catch it: the agent died of a host that went away at the wrong moment.
 */
export function abortingQuietly<Components>(make: (components: Components) => StreamMuxerFactory): (components: Components) => StreamMuxerFactory {
  return components => {
    const factory = make(components)
    const create = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = connection => {
      const muxer = create(connection)
      const abort = muxer.abort.bind(muxer)
      muxer.abort = error => {
        try {
          abort(error)
        } catch {
          // Its streams were aborted before the goodbye, and there is nobody to say it to.
        }
      }
      return muxer
    }
    return factory
  }
}
