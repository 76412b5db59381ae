import { startApiServer } from '../../src/dev-cluster/api-server.ts';

/** The embedded API server in a process of its own, told on stdout as one line of JSON; ends with its stdin. */
const { url, port, caPem, adminToken } = await startApiServer();
process.stdout.write(`${JSON.stringify({ url, port, caPem, adminToken })}\n`);
process.stdin.resume().on('end', () => process.exit());
