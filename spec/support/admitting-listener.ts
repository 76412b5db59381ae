import type { RequestListener } from 'node:http';
import { json } from 'node:stream/consumers';

export interface Reviewed {
  readonly uid: string;
  readonly object: { readonly metadata: { readonly labels?: object } };
}

/** Answers reviews with a verdict, as a webhook in any language would: nothing of ours is in it. */
export const reviewListener =
  (verdict: (path: string, reviewed: Reviewed) => object): RequestListener =>
  (request, response) => {
    void json(request).then(
      (review) => {
        const { apiVersion, request: reviewed } = review as { readonly apiVersion: string; readonly request: Reviewed };
        const answer = { uid: reviewed.uid, ...verdict(request.url ?? '', reviewed) };
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ apiVersion, kind: 'AdmissionReview', response: answer }));
      },
      () => response.destroy(),
    );
  };

/** Admits everything with a warning that names the server. */
export const admittingListener = (name: string): RequestListener =>
  reviewListener(() => ({ allowed: true, warnings: [`admitted by ${name}`] }));
