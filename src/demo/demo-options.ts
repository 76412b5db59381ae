import type { Program } from './start-replica.ts';

export interface DemoOptions {
  readonly replicas: number;
  /** Null: until stopped. */
  readonly rotations: number | null;
  readonly kubeletDelayMs: number;
  /** Of the status page with all replicas; null or 0: any that is free. */
  readonly port: number | null;
  readonly json: boolean;
}

export interface DemoSurroundings {
  readonly program: Program;
  readonly print: (text: string) => void;
  /** Settles when somebody wants it to end. */
  readonly stopped: Promise<void>;
}
