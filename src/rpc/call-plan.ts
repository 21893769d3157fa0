/** What channel and options have settled for a call before it starts. */
import type { CallCredentials, CredentialsContext } from './credentials.ts'
import type { SendRules } from './message-framing.ts'
import type { Metadata } from './metadata.ts'
import type { RequestTemplate } from './request-headers.ts'

/** The settled part of a call; shared by all calls of a method that say nothing special. */
export interface CallPlan {
  readonly template: RequestTemplate
  readonly rules: SendRules
  readonly maxReceiveMessageOctets: number
  readonly maxMetadataEntries: number
  readonly waitForReady: boolean
  /** Milliseconds since 1970, Infinity for none. */
  readonly deadlineMs: number
  readonly metadata: Metadata | undefined
  readonly credentials: PlannedCredentials | undefined
}

/** Credentials to ask before the call goes out. */
export interface PlannedCredentials {
  readonly make: CallCredentials
  readonly context: CredentialsContext
  /** False if the connection is in the clear and that was not allowed: the call fails. */
  readonly allowed: boolean
}
