import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { jsonPatch } from '../../src/dev-cluster/json-patch.ts';
import { type Json, valueAt } from '../support/raw-api.ts';

export const MANIFESTS = join(import.meta.dirname, '..', '..', 'manifests');

export const COMPONENTS = ['sidecar', 'handler-image', 'external-issuer', 'relay', 'policy'] as const;
export type Component = (typeof COMPONENTS)[number];

/** One object of the manifests; `at` walks it, undefined where there is nothing. */
export interface Manifest {
  readonly kind: string;
  readonly name: string;
  readonly json: Json;
  at(...path: readonly (string | number)[]): Json | undefined;
}

export const manifest = (json: Json): Manifest => ({
  kind: valueAt(json, ['kind']) as string,
  name: valueAt(json, ['metadata', 'name']) as string,
  json,
  at: (...path) => valueAt(json, path),
});

const documents = (...path: readonly string[]): readonly Json[] =>
  loadAll(readFileSync(join(MANIFESTS, ...path), 'utf8')) as readonly Json[];

interface Kustomization {
  readonly resources?: readonly string[];
  readonly patches?: readonly {
    readonly path: string;
    readonly target: { readonly kind: string; readonly name: string };
  }[];
}

const kustomization = (...folder: readonly string[]): Kustomization =>
  documents(...folder, 'kustomization.yaml')[0] as unknown as Kustomization;

/** The resources of a folder as they are written. */
export const resources = (...folder: readonly string[]): readonly Manifest[] =>
  (kustomization(...folder).resources ?? [])
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => documents(...folder, file))
    .map(manifest);

/**
 * What `kubectl kustomize` makes of base and one component, as far as these use kustomize: resources, and JSON patches
 * that name their target.
 */
export const rendered = (component?: Component): readonly Manifest[] => {
  if (component === undefined) return resources('base');
  const folder = ['components', component];
  const all = [...resources('base'), ...resources(...folder)];
  return (kustomization(...folder).patches ?? []).reduce((objects, { path, target }) => {
    const patch = documents(...folder, path)[0] ?? null;
    return objects.map((object) =>
      object.kind === target.kind && object.name === target.name
        ? manifest(jsonPatch(object.json as never, patch as never) as Json)
        : object,
    );
  }, all);
};

/** The one object of a kind. */
export const only = (objects: readonly Manifest[], kind: string): Manifest => {
  const found = objects.filter((object) => object.kind === kind);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} objects are a ${kind}`);
  return found[0];
};
