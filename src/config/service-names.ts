interface Named {
  readonly serviceName: string;
  readonly namespace: string;
  readonly extraDnsNames: readonly string[];
}

/** Every name the leaf carries. The API server calls `svc.ns.svc`; the others are for people and other clients. */
export function serviceNames({ serviceName, namespace, extraDnsNames }: Named): readonly string[] {
  const inNamespace = `${serviceName}.${namespace}`;
  const names = [serviceName, inNamespace, `${inNamespace}.svc`, `${inNamespace}.svc.cluster.local`, ...extraDnsNames];
  return [...new Set(names)];
}
