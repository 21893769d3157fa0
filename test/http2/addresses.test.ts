/** gRPC's address names (grpc/doc/naming.md). */
import t from 'tap'
import {
  formatAddress,
  formatTarget,
  numericAddresses,
  parseListenAddress,
  parseTarget,
  type Target,
  targetAuthority,
} from '../../src/http2/addresses.ts'

const dns = (host: string, port = 443, authority?: string): Target =>
  authority === undefined ? { scheme: 'dns', host, port } : { scheme: 'dns', host, port, authority }

/** Text, target, canonical text, :authority. */
const TARGETS: [string, Target, string, string][] = [
  ['localhost:50051', dns('localhost', 50051), 'dns:localhost:50051', 'localhost:50051'],
  ['example.com', dns('example.com'), 'dns:example.com:443', 'example.com:443'],
  ['my-host:1', dns('my-host', 1), 'dns:my-host:1', 'my-host:1'],
  ['127.0.0.1:80', dns('127.0.0.1', 80), 'dns:127.0.0.1:80', '127.0.0.1:80'],
  ['[::1]:50051', dns('::1', 50051), 'dns:[::1]:50051', '[::1]:50051'],
  ['[::1]', dns('::1'), 'dns:[::1]:443', '[::1]:443'],
  ['::1', dns('::1'), 'dns:[::1]:443', '[::1]:443'],
  ['dns:example.com:80', dns('example.com', 80), 'dns:example.com:80', 'example.com:80'],
  ['DNS:example.com', dns('example.com'), 'dns:example.com:443', 'example.com:443'],
  ['dns:///example.com:80', dns('example.com', 80), 'dns:example.com:80', 'example.com:80'],
  ['dns:///[2001:db8::1]:80', dns('2001:db8::1', 80), 'dns:[2001:db8::1]:80', '[2001:db8::1]:80'],
  [
    'dns://8.8.8.8/example.com',
    dns('example.com', 443, '8.8.8.8'),
    'dns://8.8.8.8/example.com:443',
    'example.com:443',
  ],
  [
    'ipv4:10.0.0.1:1,10.0.0.2',
    {
      scheme: 'ipv4',
      addresses: [
        { host: '10.0.0.1', port: 1 },
        { host: '10.0.0.2', port: 443 },
      ],
    },
    'ipv4:10.0.0.1:1,10.0.0.2:443',
    '10.0.0.1:1',
  ],
  [
    'ipv4:///10.0.0.1:1',
    { scheme: 'ipv4', addresses: [{ host: '10.0.0.1', port: 1 }] },
    'ipv4:10.0.0.1:1',
    '10.0.0.1:1',
  ],
  [
    'ipv6:[::1]:1,2001:db8::2',
    {
      scheme: 'ipv6',
      addresses: [
        { host: '::1', port: 1 },
        { host: '2001:db8::2', port: 443 },
      ],
    },
    'ipv6:[::1]:1,[2001:db8::2]:443',
    '[::1]:1',
  ],
  ['unix:/run/x.sock', { scheme: 'unix', path: '/run/x.sock' }, 'unix:/run/x.sock', 'localhost'],
  ['unix:relative.sock', { scheme: 'unix', path: 'relative.sock' }, 'unix:relative.sock', 'localhost'],
  ['unix:///run/x.sock', { scheme: 'unix', path: '/run/x.sock' }, 'unix:/run/x.sock', 'localhost'],
  ['unix-abstract:name', { scheme: 'unix-abstract', name: 'name' }, 'unix-abstract:name', 'localhost'],
]

/** Text, and what the error must say. */
const REFUSED: [string, RegExp][] = [
  ['', /empty/],
  [':50051', /host/],
  ['localhost:', /port ""/],
  ['localhost:99999', /0 to 65535/],
  ['localhost:-1', /port "-1"/],
  ['localhost:http', /port "http"/],
  ['localhost:1:2', /brackets/],
  ['[::1', /IPv6/],
  ['[localhost]:1', /IPv6/],
  ['[::1]x', /after "\]"/],
  ['local host:1', /characters/],
  ['user@host:1', /characters/],
  ['http://localhost:50051', /no http:\/\/, write host:port/],
  ['https://localhost:50051', /TLS is switched on by an option/],
  ['xds:///service', /scheme "xds:" is unknown.*dns:.*unix:/],
  ['dns://8.8.8.8', /dns:\/\/\/8\.8\.8\.8/],
  ['dns:///', /host/],
  ['dns:', /host/],
  ['ipv4:', /host/],
  ['ipv4:localhost:1', /no ipv4 address/],
  ['ipv4:[::1]:1', /no ipv4 address/],
  ['ipv4:1.2.3.4:1,', /host/],
  ['ipv6:1.2.3.4:1', /no ipv6 address/],
  ['unix:', /path is missing/],
  ['unix://relative', /absolute/],
  ['unix:a\0b', /NUL/],
  [`unix:${'x'.repeat(108)}`, /at most 107 octets, this one has 108/],
  ['unix-abstract:', /name is missing/],
]

t.test('targets of gRPC naming are parsed, formatted and parsed again', async (t) => {
  for (const [text, target, canonical, authority] of TARGETS) {
    t.strictSame(parseTarget(text), target, text)
    t.equal(formatTarget(target), canonical, text)
    t.strictSame(parseTarget(canonical), target, canonical)
    t.equal(targetAuthority(target), authority, text)
  }
})

t.test('what is no address is refused, with the reason and what is allowed', async (t) => {
  for (const [text, says] of REFUSED) {
    t.throws(() => parseTarget(text), { name: 'TypeError', message: says }, JSON.stringify(text))
    t.throws(() => parseTarget(text), { message: `"${text.slice(0, 20)}` }, 'the text is quoted')
  }
})

t.test('numericAddresses: what needs no look-up', async (t) => {
  t.equal(numericAddresses(parseTarget('example.com:1')), undefined)
  t.strictSame(numericAddresses(parseTarget('127.0.0.1:1')), [{ host: '127.0.0.1', port: 1 }])
  t.strictSame(numericAddresses(parseTarget('[::1]:1')), [{ host: '::1', port: 1 }])
  t.strictSame(numericAddresses(parseTarget('unix:/x')), [{ path: '/x' }])
  t.strictSame(numericAddresses(parseTarget('unix-abstract:x')), [{ path: '\0x' }])
  t.strictSame(numericAddresses(parseTarget('ipv4:1.2.3.4:5,1.2.3.5:6')), [
    { host: '1.2.3.4', port: 5 },
    { host: '1.2.3.5', port: 6 },
  ])
})

t.test('addresses to listen on', async (t) => {
  t.strictSame(parseListenAddress('127.0.0.1:0'), { host: '127.0.0.1', port: 0 })
  t.strictSame(parseListenAddress('localhost:50051'), { host: 'localhost', port: 50051 })
  t.strictSame(parseListenAddress('[::1]:50051'), { host: '::1', port: 50051 })
  t.strictSame(parseListenAddress(':50051'), { host: '::', port: 50051 })
  t.strictSame(parseListenAddress('dns:localhost:1'), { host: 'localhost', port: 1 })
  t.strictSame(parseListenAddress('ipv4:127.0.0.1:1'), { host: '127.0.0.1', port: 1 })
  t.strictSame(parseListenAddress('unix:/run/x.sock'), { path: '/run/x.sock' })
  t.strictSame(parseListenAddress('unix-abstract:x'), { path: '\0x' })
  t.throws(() => parseListenAddress('localhost'), /port is missing.*port 0/)
  t.throws(() => parseListenAddress('[::1]'), /port is missing/)
  t.throws(() => parseListenAddress('ipv4:1.2.3.4:5,1.2.3.5:6'), /list/)
  t.throws(() => parseListenAddress('https://x:1'), /https/)
})

t.test('formatAddress reads as a target again', async (t) => {
  t.equal(formatAddress({ host: '127.0.0.1', port: 1 }), '127.0.0.1:1')
  t.equal(formatAddress({ host: '::1', port: 1 }), '[::1]:1')
  t.equal(formatAddress({ path: '/x' }), 'unix:/x')
  t.equal(formatAddress({ path: '\0x' }), 'unix-abstract:x')
})
