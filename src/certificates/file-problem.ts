/** Something is there and cannot be read; the message becomes the problem of a mount reading. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem';
}
