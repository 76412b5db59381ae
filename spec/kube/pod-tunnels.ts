import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ScriptedApi } from './scripted-api.ts';

/** How the kubelet of the spec behaves. */
export interface TunnelOptions {
  /** The HTTP status of a refused upgrade; 101. */
  readonly status?: () => number;
  /** Splits what a Pod sends into fragments of this many bytes, with a ping between them. */
  readonly fragmentBytes?: number;
  /** Pretends that it cannot connect, and says this. */
  readonly error?: string;
}

export interface PodTunnels {
  /** Tunnels that are open now, and the most that were at once. */
  readonly open: () => number;
  readonly most: () => number;
  /** The paths that were asked for. */
  readonly asked: readonly string[];
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const header = (opcode: number, length: number, isFinal: boolean): Buffer => {
  const first = (isFinal ? 0x80 : 0) | opcode;
  if (length < 126) return Buffer.of(first, length);
  if (length < 65_536) return Buffer.of(first, 126, length >> 8, length & 0xff);
  const long = Buffer.alloc(10);
  long.writeUInt8(first, 0);
  long.writeUInt8(127, 1);
  long.writeBigUInt64BE(BigInt(length), 2);
  return long;
};

const frames = (payload: Buffer, fragmentBytes: number): readonly Buffer[] => {
  const pieces: Buffer[] = [];
  for (let at = 0; at < payload.length || at === 0; at += fragmentBytes) {
    const piece = payload.subarray(at, at + fragmentBytes);
    const isFinal = at + fragmentBytes >= payload.length;
    pieces.push(header(at === 0 ? 2 : 0, piece.length, isFinal), piece);
    if (!isFinal) pieces.push(header(9, 0, true));
  }
  return pieces;
};

/** The masked frames of a client, in whole payloads of binary messages; the bytes that are left over. */
const readClient = (bytes: Buffer, onMessage: (payload: Buffer, opcode: number) => void): Buffer => {
  for (;;) {
    if (bytes.length < 2) return bytes;
    const code = bytes.readUInt8(1) & 0x7f;
    const at = code === 126 ? 4 : code === 127 ? 10 : 2;
    if (bytes.length < at + 4) return bytes;
    const length = code === 126 ? bytes.readUInt16BE(2) : code === 127 ? Number(bytes.readBigUInt64BE(2)) : code;
    if (bytes.length < at + 4 + length) return bytes;
    const mask = bytes.subarray(at, at + 4);
    const payload = Buffer.from(bytes.subarray(at + 4, at + 4 + length)).map((byte, index) => byte ^ mask[index % 4]!);
    onMessage(Buffer.from(payload), bytes.readUInt8(0) & 0x0f);
    bytes = bytes.subarray(at + 4 + length);
  }
};

/** Lets the scripted API server forward ports as a kubelet does: every Pod is this machine. */
export const forwardPorts = (api: ScriptedApi, options: TunnelOptions = {}): PodTunnels => {
  const asked: string[] = [];
  let open = 0;
  let most = 0;
  api.upgrade((request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => undefined);
    asked.push(request.url ?? '');
    // The kubelet's route produces no type that it names, so it refuses every Accept but this one.
    const isAcceptable = (request.headers.accept ?? '*/*') === '*/*';
    const status = options.status?.() ?? (isAcceptable ? 101 : 406);
    if (status !== 101) {
      const body = JSON.stringify({
        kind: 'Status',
        code: status,
        reason: 'Forbidden',
        message: 'pods "p" is forbidden',
      });
      socket.end(
        `HTTP/1.1 ${status} No\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      return;
    }
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key'] ?? ''}${GUID}`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\nsec-websocket-protocol: v4.channel.k8s.io\r\n\r\n`,
    );
    open += 1;
    most = Math.max(most, open);
    const port = Number(new URL(request.url ?? '', 'http://api').searchParams.get('ports'));
    const send = (channel: number, payload: Buffer): void => {
      for (const piece of frames(Buffer.concat([Buffer.of(channel), payload]), options.fragmentBytes ?? Infinity))
        socket.write(piece);
    };
    const opening = Buffer.alloc(2);
    opening.writeUInt16LE(port);
    send(0, opening);
    send(1, opening);
    const fail = (why: string): void => send(1, Buffer.from(`an error occurred forwarding ${port} -> ${port}: ${why}`));
    const pod = options.error === undefined ? connect({ host: '127.0.0.1', port }) : null;
    if (options.error !== undefined) fail(options.error);
    pod
      ?.on('data', (chunk: Buffer) => send(0, chunk))
      .on('error', (error) =>
        fail(`dial tcp4 127.0.0.1:${port}: connect: ${error.message.replace('ECONNREFUSED', 'connection refused')}`),
      )
      .on('end', () => socket.end(header(8, 0, true)));
    let bytes: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      bytes = readClient(Buffer.concat([bytes, chunk]), (payload, opcode) => {
        if (opcode === 2) pod?.write(payload.subarray(1));
        if (opcode === 8) socket.end();
      });
    });
    socket.on('close', () => {
      open -= 1;
      pod?.destroy();
    });
  });
  return { asked, open: () => open, most: () => most };
};
