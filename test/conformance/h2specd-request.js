/**
 * The command that h2specd starts for each case: tells the resident client (h2specd-client.ts) the URL, waits until
 * the request is over, and prints what happened. Plain JavaScript, so that it starts quickly.
 *
 * Usage: node h2specd-request.js SOCKET URL
 */
import net from 'node:net'

const [socketPath, url] = process.argv.slice(2)
const socket = net.connect(socketPath)
socket.write(`${url}\n`)
socket.pipe(process.stdout)
