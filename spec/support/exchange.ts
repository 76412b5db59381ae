import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

export interface Given {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the whole body has been read. */
  readonly complete?: boolean;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What the caller has been sent. */
  readonly text: () => Promise<string>;
  /** Sends the last part of the body. */
  readonly complete: (text: string) => void;
  /** Closes the connection, as the server sees it. */
  readonly hangUp: () => void;
}

/** An exchange without a network. */
export const exchange = ({ method = 'POST', url = '/', headers = {}, complete = true }: Given = {}): Exchange => {
  const socket = new PassThrough() as unknown as Socket;
  const request = new IncomingMessage(socket);
  Object.assign(request, { method, url, headers, complete, httpVersionMajor: 1, httpVersionMinor: 1 });
  const response = new ServerResponse(request);
  response.shouldKeepAlive = true;
  let sent = '';
  socket.on('data', (chunk: Buffer) => (sent += chunk.toString()));
  response.assignSocket(socket);
  return {
    request,
    response,
    text: async () => {
      await nextTurn();
      return sent;
    },
    complete: (text) => {
      request.complete = true;
      request.push(text);
      request.push(null);
    },
    hangUp: () => {
      request.destroy();
      socket.emit('close');
    },
  };
};
