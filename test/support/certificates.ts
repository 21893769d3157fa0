/** Certificates for tests, made when asked: an authority of its own, and what it issues. */
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'

// Node's types name the same interfaces differently than the DOM's, which the library uses
type DomCrypto = NonNullable<Parameters<typeof x509.X509CertificateGenerator.createSelfSigned>[1]>
const crypto = webcrypto as unknown as DomCrypto
x509.cryptoProvider.set(crypto)

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const HOUR_MS = 3_600_000
let serial = 0x1000

/** A certificate and its key, as PEM. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

/** A certificate authority for tests. */
export interface Authority {
  /** PEM of the root certificate. */
  readonly ca: string
  /**
   * Issues a certificate for DNS names and IP addresses, usable by servers and clients; valid for a day, from an hour
   * ago, or that many hours later or earlier.
   */
  issue(commonName: string, names?: readonly string[], laterHours?: number): Promise<Identity>
}

const newKeys = () => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}

function validity(laterHours = 0) {
  const now = Date.now() + laterHours * HOUR_MS
  return { notBefore: new Date(now - HOUR_MS), notAfter: new Date(now + 24 * HOUR_MS) }
}

/** Makes an authority with a fresh key. */
export async function createAuthority(commonName = 'Test Root'): Promise<Authority> {
  const rootKeys = await newKeys()
  const root = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: (serial++).toString(16),
      name: `CN=${commonName}`,
      ...validity(),
      keys: rootKeys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ],
    },
    crypto,
  )
  return {
    ca: root.toString('pem'),
    async issue(name, names = ['localhost', '127.0.0.1', '::1'], laterHours = 0) {
      const keys = await newKeys()
      const certificate = await x509.X509CertificateGenerator.create(
        {
          serialNumber: (serial++).toString(16),
          subject: `CN=${name}`,
          issuer: root.subject,
          ...validity(laterHours),
          publicKey: keys.publicKey,
          signingKey: rootKeys.privateKey,
          signingAlgorithm: ALGORITHM,
          extensions: [
            new x509.BasicConstraintsExtension(false),
            new x509.ExtendedKeyUsageExtension([
              x509.ExtendedKeyUsage.serverAuth,
              x509.ExtendedKeyUsage.clientAuth,
            ]),
            new x509.SubjectAlternativeNameExtension(
              names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
            ),
          ],
        },
        crypto,
      )
      return { cert: certificate.toString('pem'), key: await keyPem(keys.privateKey) }
    },
  }
}
