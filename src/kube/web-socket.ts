import { createHash, randomBytes } from 'node:crypto';
import { Duplex } from 'node:stream';
import { Problem } from '../../streams/problem.ts';
import type { Wire } from './authorized-exchange.ts';
import { ApiError, connectionFailure, statusError } from './errors.ts';
import { outgoing } from './exchange.ts';
import { type KubeRequest, requestSubject } from './request.ts';

/** A WebSocket as a stream of whole messages: each chunk that is read or written is one binary message. */
export type WebSocketStream = Duplex;

/** RFC 6455, 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The API server's streams carry pieces of 32 KiB; a longer message is no stream of it. */
const MOST_BYTES = 4 * 1024 * 1024;

/** One frame with its payload masked, as a client must send it. */
const frame = (opcode: number, payload: Buffer): Buffer => {
  const { length } = payload;
  const short = length < 126;
  const header = Buffer.alloc(short ? 2 : length < 65_536 ? 4 : 10);
  header[0] = 0x80 | opcode;
  header[1] = 0x80 | (short ? length : length < 65_536 ? 126 : 127);
  if (header.length === 4) header.writeUInt16BE(length, 2);
  if (header.length === 10) header.writeBigUInt64BE(BigInt(length), 2);
  const mask = randomBytes(4);
  const masked = Buffer.from(payload);
  for (let at = 0; at < length; at += 1) masked[at] = (masked[at] ?? 0) ^ (mask[at % 4] ?? 0);
  return Buffer.concat([header, mask, masked]);
};

interface Frame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly payload: Buffer;
  /** Bytes of the whole frame. */
  readonly size: number;
}

/** The first frame of these bytes; null when it is not complete. @throws Problem for a frame no server may send */
const readFrame = (bytes: Buffer): Frame | null => {
  if (bytes.length < 2) return null;
  const [first = 0, second = 0] = bytes;
  if ((second & 0x80) !== 0) throw new Problem('the server masked a WebSocket frame');
  const code = second & 0x7f;
  const headerBytes = code === 126 ? 4 : code === 127 ? 10 : 2;
  if (bytes.length < headerBytes) return null;
  const length = code === 126 ? bytes.readUInt16BE(2) : code === 127 ? Number(bytes.readBigUInt64BE(2)) : code;
  if (length > MOST_BYTES) throw new Problem(`a WebSocket frame of ${length} bytes is too long`);
  const size = headerBytes + length;
  if (bytes.length < size) return null;
  return {
    opcode: first & 0x0f,
    isFinal: (first & 0x80) !== 0,
    payload: bytes.subarray(headerBytes, size),
    size,
  };
};

/** Reads and writes the messages of a connection that was upgraded. */
const messagesOf = (socket: Duplex, head: Buffer): WebSocketStream => {
  let bytes = head;
  let parts: Buffer[] = [];

  const stream = new Duplex({
    readableObjectMode: true,
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => void socket.write(frame(OPCODES.binary, chunk), () => done()),
    final: (done) => {
      socket.end(frame(OPCODES.close, Buffer.alloc(0)));
      done();
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });

  const onFrame = ({ opcode, isFinal, payload }: Frame): void => {
    if (opcode === OPCODES.ping) return void socket.write(frame(OPCODES.pong, payload));
    if (opcode === OPCODES.close) return void stream.push(null);
    if (opcode === OPCODES.pong) return;
    parts.push(payload);
    if (!isFinal) return;
    stream.push(Buffer.concat(parts));
    parts = [];
  };

  const onBytes = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    try {
      for (let next = readFrame(bytes); next !== null; next = readFrame(bytes)) {
        bytes = bytes.subarray(next.size);
        onFrame(next);
      }
    } catch (error) {
      stream.destroy(error as Error);
    }
  };

  socket
    .on('data', onBytes)
    .on('end', () => stream.push(null))
    .on('error', (error) => stream.destroy(error))
    .on('close', () => stream.push(null));
  onBytes(Buffer.alloc(0));
  return stream;
};

/**
 * Opens a WebSocket with the current credentials, and once more with fresh ones after a 401.
 *
 * @throws ApiError when the server refuses it or cannot be reached
 */
export const openWebSocket = async (
  { credentials, transport, userAgent }: Wire,
  request: KubeRequest,
  subprotocol: string,
  signal: AbortSignal,
): Promise<WebSocketStream> => {
  const { text: subject } = requestSubject(request);
  const key = randomBytes(16).toString('base64');
  const attempt = async (isRetry: boolean): Promise<WebSocketStream> => {
    const access = await credentials.access();
    const secret = access.headers['authorization']?.replace(/^\w+ /, '') ?? null;
    const plain = outgoing({ access, request, userAgent });
    const headers = {
      ...plain.headers,
      // A kubelet answers 406 to any type by name.
      accept: '*/*',
      'sec-websocket-key': key,
      'sec-websocket-version': '13',
      'sec-websocket-protocol': subprotocol,
    };
    const answer = await transport
      .poolFor(access)
      .upgrade({ ...plain, headers }, signal)
      .catch((error: unknown) => {
        throw connectionFailure(subject, error instanceof Error ? error : new Error(String(error)), secret);
      });
    if (!answer.upgraded) {
      if (answer.status !== 401 || isRetry) throw statusError({ ...answer, subject, secret });
      credentials.forget();
      return attempt(true);
    }
    const expected = createHash('sha1')
      .update(key + ACCEPT_SUFFIX)
      .digest('base64');
    if (answer.headers['sec-websocket-accept'] !== expected) {
      answer.socket.destroy();
      throw new ApiError(`${subject}: the answer is no WebSocket handshake`);
    }
    return messagesOf(answer.socket, answer.head);
  };
  return attempt(false);
};
