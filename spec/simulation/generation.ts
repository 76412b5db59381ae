/** One `..data` generation, as the kubelet wrote it: never changed, only replaced. */
export interface Generation {
  readonly id: string;
  readonly crt: string | null;
  readonly key: string | null;
  readonly trust: readonly string[];
}
