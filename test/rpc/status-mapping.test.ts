import t from 'tap'
import { messageOfErrorCode, statusOfErrorCode, statusOfHttpStatus } from '../../src/rpc/status-mapping.ts'

t.test('gRPC http-grpc-status-mapping', async (t) => {
  const table: Record<number, number> = {
    400: 13,
    401: 16,
    403: 7,
    404: 12,
    429: 14,
    502: 14,
    503: 14,
    504: 14,
  }
  for (let status = 100; status < 600; status++)
    t.equal(statusOfHttpStatus(status), table[status] ?? 2, String(status))
})

t.test('gRPC PROTOCOL-HTTP2 Errors', async (t) => {
  const table: Record<number, number> = { 7: 14, 8: 1, 11: 8, 12: 7 }
  for (let code = 0; code < 20; code++) t.equal(statusOfErrorCode(code), table[code] ?? 13, String(code))
  t.equal(messageOfErrorCode(0), 'Received RST_STREAM with code 0 (Call ended without gRPC status)')
  t.equal(messageOfErrorCode(2), 'Received RST_STREAM with code 2 (Internal server error)')
  t.equal(messageOfErrorCode(1), 'Received RST_STREAM with code 1 (PROTOCOL_ERROR)')
  t.equal(messageOfErrorCode(7), 'Stream refused by server')
  t.equal(messageOfErrorCode(8), 'Call cancelled')
  t.match(messageOfErrorCode(11), /^Bandwidth exhausted or memory limit exceeded: .*ENHANCE_YOUR_CALM/)
  t.equal(messageOfErrorCode(12), 'Protocol not secure enough')
})
