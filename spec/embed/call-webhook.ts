import { request, type RequestOptions } from 'node:https';
import { reviewText } from '../support/admission-review.ts';

/** One AdmissionReview over a handshake of its own; the answer's text. Only `ca`, PEM, is trusted. */
export const callWebhook = (port: number, ca: string, servername: string, more: RequestOptions = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const where = { host: '127.0.0.1', port, path: '/validate', method: 'POST', agent: false, ca, servername, headers };
    const call = request({ ...where, ...more }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.on('end', () => resolve(text));
    });
    call.on('error', reject);
    call.end(reviewText());
  });
