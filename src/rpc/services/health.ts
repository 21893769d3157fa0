/**
 * The health service (`grpc.health.v1.Health`): tells load balancers and probes whether the server, or one of its
 * services, takes calls (gRPC health-checking).
 */
import { Status } from '../../wire/grpc/status-codes.ts'
import type { HandlerCall } from '../handlers.ts'
import type { Method, Service } from '../method.ts'
import type { Server } from '../server.ts'
import { StatusError } from '../status-error.ts'
import { bundledService } from './bundled-registry.ts'

/** What may be told of a service; SERVICE_UNKNOWN only a watching client gets. */
export type ServingStatus = 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN'

/** Asks for the status of one service. */
export interface HealthCheckRequest {
  /** Its full name; default the server as a whole. */
  readonly service?: string
}

/** The status of one service. */
export interface HealthCheckResponse {
  /** A number stands for a status that this library does not know. */
  readonly status: ServingStatus | number
}

/** The status of every service. */
export interface HealthListResponse {
  /** By full name; the server as a whole has the empty one. */
  readonly statuses: Readonly<Record<string, HealthCheckResponse>>
}

/** The methods of {@link Health}. */
export type HealthMethods = {
  /** The status now. */
  readonly check: Method<HealthCheckRequest, HealthCheckResponse, false, false>
  /** The status of every service. */
  readonly list: Method<object, HealthListResponse, false, false>
  /** The status now and at each change. */
  readonly watch: Method<HealthCheckRequest, HealthCheckResponse, false, true>
}

/**
 * The service `grpc.health.v1.Health`, for clients; a server gets it by {@link addHealth}.
 *
 * @example
 * const { status } = await channel.client(Health).check({ service: 'helloworld.Greeter' })
 */
export const Health: Service<HealthMethods> = bundledService(
  'grpc.health.v1.Health',
  'grpc/health/v1/health.proto',
)

/** Names longer than this are no service's: a watched name is kept while the watch lasts. */
const MAX_NAME_LENGTH = 1024

/** Sets the statuses of a server; made by {@link addHealth}. */
export class HealthControl {
  readonly #server: Server
  readonly #statuses = new Map<string, ServingStatus>([['', 'SERVING']])
  readonly #waiting = new Set<() => void>()
  #shutDown = false
  #closing = false

  /** Internal: use {@link addHealth}. */
  constructor(server: Server) {
    this.#server = server
    server.onClosing(() => {
      this.#closing = true
      this.shutDown()
    })
  }

  /**
   * The status of a service, or of the whole server (`''`); undefined if the server has no such service and none
   * was set.
   */
  get(service = ''): ServingStatus | undefined {
    const status = this.#statuses.get(service) ?? (this.#has(service) ? 'SERVING' : undefined)
    return status !== undefined && this.#shutDown ? 'NOT_SERVING' : status
  }

  /**
   * Sets the status of a service, or of the whole server (`''`), and tells those who watch it. The name need not be that
   * of a service. After {@link HealthControl.shutDown} it changes nothing.
   *
   * @throws TypeError if the status is none
   */
  set(service: string, status: 'UNKNOWN' | 'SERVING' | 'NOT_SERVING'): void {
    if (status !== 'SERVING' && status !== 'NOT_SERVING' && status !== 'UNKNOWN') {
      const shown = JSON.stringify(status)
      throw new TypeError(`health.set: ${shown} is no status; there are SERVING, NOT_SERVING, UNKNOWN`)
    }
    this.#statuses.set(service, status)
    this.#wake()
  }

  /**
   * Everything is NOT_SERVING from now on. It happens by itself when the server begins to close; call it some seconds
   * earlier to let load balancers turn elsewhere while the server still takes calls.
   */
  shutDown(): void {
    this.#shutDown = true
    this.#wake()
  }

  #has(service: string): boolean {
    return this.#server.services.some(({ name }) => name === service)
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }

  /** Internal: answers Check. */
  check(service: string): HealthCheckResponse {
    const status = this.get(service)
    if (status === undefined) {
      throw new StatusError(Status.NOT_FOUND, `This server has no service ${shown(service)}`)
    }
    return { status }
  }

  /** Internal: answers List. */
  list(): HealthListResponse {
    const names = new Set([...this.#statuses.keys(), ...this.#server.services.map(({ name }) => name)])
    return { statuses: Object.fromEntries([...names].map((name) => [name, { status: this.get(name)! }])) }
  }

  /** Internal: answers Watch. Of changes that come faster than they are sent, the last counts. */
  async *watch(service: string, call: HandlerCall): AsyncGenerator<HealthCheckResponse, undefined> {
    if (service.length > MAX_NAME_LENGTH) {
      const details = `The name of a service has at most ${MAX_NAME_LENGTH} characters, this has ${service.length}`
      throw new StatusError(Status.INVALID_ARGUMENT, details)
    }
    let told: ServingStatus | undefined
    while (!call.cancelled) {
      const status = this.get(service) ?? 'SERVICE_UNKNOWN'
      if (status !== told) {
        told = status
        yield { status }
      } else if (this.#closing) {
        throw new StatusError(Status.UNAVAILABLE, 'The server is shutting down')
      } else await this.#change(call.signal)
    }
  }

  /** Resolves at the next change, or when nobody waits for it any more. */
  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#waiting.add(done)
      signal.addEventListener('abort', done)
    })
  }
}

function shown(service: string): string {
  return JSON.stringify(service.length > 100 ? `${service.slice(0, 100)}…` : service)
}

/**
 * Adds the health service to a server. Every service of the server is SERVING, and so is the server as a whole, until
 * something else is set; when the server begins to close, everything is NOT_SERVING, and watching calls end with
 * UNAVAILABLE after they were told.
 *
 * @returns sets the statuses
 * @throws TypeError if the server has the service already
 * @example
 * const health = addHealth(server)
 * database.on('lost', () => health.set('shop.Orders', 'NOT_SERVING'))
 */
export function addHealth(server: Server): HealthControl {
  const control = new HealthControl(server)
  server.add(Health, {
    check: ({ service = '' }) => control.check(service),
    list: () => control.list(),
    watch: ({ service = '' }, call) => control.watch(service, call),
  })
  return control
}
