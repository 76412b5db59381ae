import * as z from 'zod';

const text = z.string().nullish();
const state = z.object({
  waiting: z.object({ reason: text }).nullish(),
  terminated: z.object({ reason: text, exitCode: z.number().nullish() }).nullish(),
});
const container = z.object({
  name: z.string(),
  env: z.array(z.object({ name: z.string(), value: text })).nullish(),
  ports: z.array(z.object({ containerPort: z.number() })).nullish(),
  volumeMounts: z
    .array(z.object({ name: z.string(), mountPath: z.string(), subPath: text, subPathExpr: text }))
    .nullish(),
});
const secretSource = z.object({ secret: z.object({ name: text, secretName: text }).nullish() });
/** A Pod, as far as it tells how its containers run and what they mount. */
export const podSchema = z.object({
  metadata: z.object({
    labels: z.record(z.string(), z.string()).nullish(),
    ownerReferences: z
      .array(z.object({ kind: z.string(), name: z.string(), controller: z.boolean().nullish() }))
      .nullish(),
  }),
  spec: z.object({
    nodeName: text,
    serviceAccountName: text,
    containers: z.array(container),
    volumes: z
      .array(
        secretSource.extend({
          name: z.string(),
          projected: z.object({ sources: z.array(secretSource).nullish() }).nullish(),
        }),
      )
      .nullish(),
  }),
  status: z
    .object({
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish(),
      containerStatuses: z.array(z.object({ state: state.nullish(), lastState: state.nullish() })).nullish(),
    })
    .nullish(),
});
