import t from 'tap'
import { Connectivity } from '../../src/rpc/connectivity.ts'
import { rejection } from './support/pair.ts'

t.test('watchers hear of changes only', async (t) => {
  const connectivity = new Connectivity()
  const seen: string[] = []
  const stop = connectivity.watch((state) => seen.push(state))
  connectivity.set('IDLE')
  connectivity.set('CONNECTING')
  connectivity.set('CONNECTING')
  connectivity.set('READY')
  stop()
  connectivity.set('IDLE')
  t.same(seen, ['CONNECTING', 'READY'])
})

t.test('SHUTDOWN is final', async (t) => {
  const connectivity = new Connectivity()
  connectivity.set('SHUTDOWN')
  connectivity.set('READY')
  t.equal(connectivity.state, 'SHUTDOWN')
})

t.test('changed', async (t) => {
  const connectivity = new Connectivity()
  t.equal(await connectivity.changed('READY'), 'IDLE', 'it is another one already')
  const waiting = connectivity.changed('IDLE')
  connectivity.set('CONNECTING')
  t.equal(await waiting, 'CONNECTING')
  const controller = new AbortController()
  const given = rejection(connectivity.changed('CONNECTING', controller.signal))
  controller.abort(new Error('enough'))
  t.match(await given, { message: 'enough' })
  t.match(await rejection(connectivity.changed('CONNECTING', controller.signal)), { message: 'enough' })
})
