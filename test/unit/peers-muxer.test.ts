import type { MessageStream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'
import { expect, it } from 'vitest'
import { abortingQuietly } from '../../src/edges/peers/muxer.ts'

/** A connection that its other end has closed: nothing can be written to it any more. */
function closedConnection(): MessageStream {
  const log = Object.assign(() => undefined, { error: () => undefined, trace: () => undefined, newScope: () => log })
  return Object.assign(new EventTarget(), {
    log, status: 'open', writeStatus: 'closed', direction: 'outbound', inactivityTimeout: 0, maxReadBufferLength: 1, protocol: '',
    send: () => { throw new Error('Cannot write to a stream that is closed') },
  }) as unknown as MessageStream
}

const muxerOf = (make: (components: never) => StreamMuxerFactory): StreamMuxer => make({} as never).createStreamMuxer(closedConnection())

it('aborting a connection that is closed already throws in yamux, and not in a muxer of the ring', () => {
  const make = () => yamux() as (components: never) => StreamMuxerFactory
  expect(() => muxerOf(make()).abort(new Error('no answer to a ping'))).toThrow('Cannot write')
  const muxer = muxerOf(abortingQuietly(make()))
  expect(() => muxer.abort(new Error('no answer to a ping'))).not.toThrow()
  expect(muxer.streams).toEqual([])
})
