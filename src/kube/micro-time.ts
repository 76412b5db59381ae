/** metav1.MicroTime: the API server rejects any number of decimals but six. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
