/** The reasons of TLS failures in words. */
import t from 'tap'
import { tlsFailure, tlsFailureWords } from '../../src/http2/tls.ts'

const WORDS: [string, RegExp, RegExp][] = [
  [
    'ERR_SSL_WRONG_VERSION_NUMBER',
    /server does not speak TLS.*connect without tls/,
    /client does not speak TLS/,
  ],
  ['ERR_SSL_HTTP_REQUEST', /HTTP\/1/, /client sent HTTP\/1 in plaintext/],
  [
    'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    /server does not speak HTTP\/2/,
    /client does not speak HTTP\/2/,
  ],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /requires a client certificate/, /./],
  ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', /refused our handshake/, /./],
  [
    'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
    /server does not accept our certificate \(UNKNOWN_CA\)/,
    /client does not accept/,
  ],
  ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', /./, /sent no certificate/],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', /TLS 1\.2 or newer/, /TLS 1\.2 or newer/],
  ['ERR_SSL_NO_SHARED_CIPHER', /cipher/, /cipher/],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', /not trusted.*tls\.ca/, /./],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /not trusted.*tls\.ca/, /./],
  ['CERT_HAS_EXPIRED', /expired/, /./],
  ['CERT_NOT_YET_VALID', /not valid yet/, /./],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', /in time/, /in time/],
  ['ECONNRESET', /closed during the handshake/, /closed during the handshake/],
]

t.test('error codes of OpenSSL and Node have words', async (t) => {
  for (const [code, client, server] of WORDS) {
    t.match(tlsFailureWords(code, 'client') ?? '-', client, code)
    t.match(tlsFailureWords(code, 'server') ?? '-', server, code)
  }
  t.equal(tlsFailureWords('ERR_SOMETHING_NEW', 'client'), undefined)
})

t.test('a failure keeps the cause, and names the address', async (t) => {
  const cause = Object.assign(new Error('something new'), { code: 'ERR_SOMETHING_NEW' })
  const failure = tlsFailure(cause, 'client', '127.0.0.1:1')
  t.match(failure, { name: 'ConnectionError', phase: 'tls', address: '127.0.0.1:1', cause })
  t.equal(failure.message, 'TLS with 127.0.0.1:1 failed: something new')
  t.equal(tlsFailure(cause, 'server', undefined).message, 'TLS with a client failed: something new')
})
