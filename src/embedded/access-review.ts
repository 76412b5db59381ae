import * as z from 'zod';
import { failures } from './failures.ts';
import type { JsonObject } from './kube-object.ts';
import { users } from './users.ts';
import type { User } from './users.ts';

const text = z.string().optional();

const review = z.looseObject({
  spec: z.looseObject({
    resourceAttributes: z.looseObject({
      namespace: text,
      verb: text,
      group: text,
      resource: text,
      subresource: text,
      name: text,
    }),
  }),
});

const orNull = (value: string | undefined) => (value === undefined || value === '' ? null : value);

/** Answers a SelfSubjectAccessReview: may I? Errs with 400 when the question cannot be read. */
export const accessReview = (user: User, body: unknown): JsonObject => {
  const parsed = review.safeParse(body);
  if (!parsed.success) throw failures.badRequest('the body is no SelfSubjectAccessReview about a resource');
  const asked = parsed.data.spec.resourceAttributes;
  const allowed = users.isAllowed(user, {
    verb: asked.verb ?? '',
    group: asked.group ?? '',
    resource: asked.resource ?? '',
    subresource: orNull(asked.subresource),
    namespace: orNull(asked.namespace),
    name: orNull(asked.name),
  });
  return {
    kind: 'SelfSubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: { creationTimestamp: null },
    spec: parsed.data.spec as JsonObject,
    status: { allowed },
  };
};
