/** What must never be seen, by name. */
export type Canaries = Readonly<Record<string, string>>;

/** Shorter pieces would be found by chance. */
const SHORTEST = 12;

/** Base64 of a text that begins one or two bytes into a longer one: the part that does not depend on what is before. */
const base64Within = (text: string): readonly string[] =>
  [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before, 'x'), Buffer.from(text)]).toString('base64');
    return encoded.slice(before === 0 ? 0 : 4, -4);
  });

/** Every way a secret has been seen to leave a program. */
const formsOf = (secret: string): ReadonlySet<string> => {
  const lines = secret.split('\n').filter((line) => !line.startsWith('-----'));
  const whole = [secret, secret.trim(), secret.replaceAll('\n', ''), secret.replaceAll('\n', ' '), lines.join('')];
  const written = whole.flatMap((text) => [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    Buffer.from(text).toString('hex'),
    Buffer.from(text).toString('base64url'),
    ...base64Within(text),
  ]);
  return new Set([...written, ...lines.map((line) => line.trim())].filter((form) => form.length >= SHORTEST));
};

/** The canaries that a text tells, each with the beginning of the form it was found in; empty when it keeps them all. */
export const leaksOf = (canaries: Canaries): ((text: string) => readonly string[]) => {
  const wanted = Object.entries(canaries).map(([name, secret]) => [name, formsOf(secret)] as const);
  return (text) =>
    wanted.flatMap(([name, forms]) => {
      const form = [...forms].find((one) => text.includes(one));
      return form === undefined ? [] : [`${name} as ${form.slice(0, 12)}…`];
    });
};
