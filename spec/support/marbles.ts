import { expect } from 'chai';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';

interface Message {
  readonly frame?: number;
  readonly notification?: { readonly kind: string; readonly value?: unknown; readonly error?: unknown };
}

const line = ({ frame, notification, ...lifetime }: Message): string =>
  notification === undefined
    ? JSON.stringify(lifetime)
    : [frame, notification.kind, JSON.stringify(notification.value ?? notification.error)].join(' ');

/** A message or a lifetime a line, as `802 N "b"`: what a failing picture is compared by at a glance. */
const timeline = (messages: readonly Message[]): string => messages.map(line).join('\n');

/**
 * Runs a spec in virtual time: a fresh scheduler, deep equality, a timeline of both sides when they differ. It stops after
 * a day of it, so that what is never torn down fails its picture instead of running for ever.
 */
export const marbles = (
  body: (helpers: RunHelpers, scheduler: TestScheduler) => void,
  { untilMs = 86_400_000 }: { readonly untilMs?: number } = {},
): void => {
  const scheduler = new TestScheduler((actual: readonly Message[], expected: readonly Message[]) => {
    expect(actual, `\ngot\n${timeline(actual)}\nwanted\n${timeline(expected)}\n`).to.deep.equal(expected);
  });
  scheduler.run((helpers) => {
    scheduler.maxFrames = untilMs;
    body(helpers, scheduler);
  });
};
