import { parsed, type Schema } from './parsed.ts';

/** A whole number within two limits, both included. */
export function wholeNumber(from: number, to: number): Schema<number> {
  return parsed(`a whole number from ${from} to ${to}`, (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    return value >= from && value <= to ? value : undefined;
  });
}
