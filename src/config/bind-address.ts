import { parsed, type Schema } from './parsed.ts';

/** Where a server listens. */
export interface BindAddress {
  /** Null: every address of the machine. */
  readonly host: string | null;
  /** 0: any free port. */
  readonly port: number;
}

const read = (text: string): BindAddress | undefined => {
  const parts = /^(?:\[(?<v6>[\da-f:.]+)\]|(?<name>[\w.-]+))?:(?<port>\d{1,5})$/i.exec(text)?.groups;
  const port = Number(parts?.['port'] ?? NaN);
  return port <= 65_535 ? { host: parts?.['v6'] ?? parts?.['name'] ?? null, port } : undefined;
};

/**
 * `:9443`, `127.0.0.1:0`, `[::1]:9443`.
 *
 * @param off The text that means "do not listen", for which the value is null.
 */
export function bindAddress(): Schema<BindAddress>;
export function bindAddress(off: string): Schema<BindAddress | null>;
export function bindAddress(off?: string): Schema<BindAddress | null> {
  const accepts = ':PORT or HOST:PORT with a port from 0 to 65535';
  return parsed(off === undefined ? accepts : `${accepts}, or ${off} to disable it`, (text) =>
    text === off ? null : read(text),
  );
}
