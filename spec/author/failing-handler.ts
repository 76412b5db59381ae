/** Fails each call. */
export default () => {
  throw new Error('always');
};
