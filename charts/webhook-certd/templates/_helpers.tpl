{{/* NAME: what every object is called after. The same rule as that of the variable. */}}
{{- define "webhook-certd.name" -}}
{{- $name := .Values.name | default .Release.Name -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]{0,48}[a-z0-9])?$" $name) -}}
{{- fail (printf "name %q: expected a name of at most 50 of a-z, 0-9 and -, beginning with a letter and not ending with -" $name) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{/* Names what is not in a namespace. */}}
{{- define "webhook-certd.clusterName" -}}
{{ include "webhook-certd.name" . }}.{{ .Release.Namespace }}
{{- end -}}

{{- define "webhook-certd.labels" -}}
app.kubernetes.io/name: {{ include "webhook-certd.name" . }}
{{- end -}}

{{- define "webhook-certd.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The API server's own default, of an image. */}}
{{- define "webhook-certd.pullPolicy" -}}
{{- if contains "@" . -}}
IfNotPresent
{{- else -}}
{{ ternary "Always" "IfNotPresent" (regexMatch "^([^:]*|.*:[^:]*/[^:]*|.*:latest)$" .) }}
{{- end -}}
{{- end -}}

{{/* A variable of `env`, or its default with NAME. Call it with (list . "LEASE_NAME" "the default"). */}}
{{- define "webhook-certd.variable" -}}
{{- $root := index . 0 -}}
{{- get $root.Values.env (index . 1) | toString | default (index . 2) -}}
{{- end -}}

{{- define "webhook-certd.secretName" -}}
{{ include "webhook-certd.variable" (list . "SECRET_NAME" (printf "%s-cert" (include "webhook-certd.name" .))) }}
{{- end -}}

{{/* SOURCE_SECRET: the Secret into which another program issues; empty where none is relayed. */}}
{{- define "webhook-certd.sourceSecret" -}}
{{- if eq .Values.issuer "relay" -}}
{{ include "webhook-certd.variable" (list . "SOURCE_SECRET" (printf "%s-issued" (include "webhook-certd.name" .))) }}
{{- end -}}
{{- end -}}

{{- define "webhook-certd.serviceName" -}}
{{ include "webhook-certd.variable" (list . "SERVICE_NAME" (include "webhook-certd.name" .)) }}
{{- end -}}

{{- define "webhook-certd.annotationPrefix" -}}
{{ include "webhook-certd.variable" (list . "ANNOTATION_PREFIX" "webhook-certd") }}
{{- end -}}

{{- define "webhook-certd.certDir" -}}
{{ include "webhook-certd.variable" (list . "CERT_DIR" "/tmp/k8s-webhook-server/serving-certs") }}
{{- end -}}

{{/* The port that the API server's calls arrive at, in whichever container. */}}
{{- define "webhook-certd.webhookPort" -}}
{{- $port := include "webhook-certd.variable" (list . "WEBHOOK_BIND_ADDRESS" ":9443") | regexFind "[0-9]+$" -}}
{{- if eq .Values.mode "serving" -}}
{{- $address := include "webhook-certd.variable" (list . "SERVING_ADDRESS" "127.0.0.1:9443") -}}
{{- ternary $port (regexFind "[0-9]+$" $address) (hasPrefix "unix:" $address) -}}
{{- else -}}
{{- $port -}}
{{- end -}}
{{- end -}}

{{/* The default ports of the daemon are those of controller-runtime, too, which is likely to be beside it. */}}
{{- define "webhook-certd.probeAddress" -}}
{{ include "webhook-certd.variable" (list . "HEALTH_PROBE_BIND_ADDRESS" (ternary ":9081" ":8081" (eq .Values.mode "serving"))) }}
{{- end -}}

{{- define "webhook-certd.metricsAddress" -}}
{{ include "webhook-certd.variable" (list . "METRICS_BIND_ADDRESS" (ternary ":9080" ":8080" (eq .Values.mode "serving"))) }}
{{- end -}}

{{/* The port of the metrics; empty where METRICS_BIND_ADDRESS is 0. */}}
{{- define "webhook-certd.metricsPort" -}}
{{- $address := include "webhook-certd.metricsAddress" . -}}
{{- if ne $address "0" -}}
{{ regexFind "[0-9]+$" $address }}
{{- end -}}
{{- end -}}

{{/* Whole seconds of a duration like 500ms, 30s or 1h30m, rounded up. A number without a unit is seconds. */}}
{{- define "webhook-certd.seconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "" 1000 "m" 60000 "h" 3600000 "d" 86400000 "w" 604800000 -}}
{{- $ms := 0 -}}
{{- range regexFindAll "[0-9]+[a-z]*" (toString .) -1 -}}
{{- $ms = add $ms (mul (regexFind "^[0-9]+" . | int64) (get $units (regexFind "[a-z]*$" .) | int64)) -}}
{{- end -}}
{{- div (add $ms 999) 1000 -}}
{{- end -}}

{{/* CA_BUNDLE_TARGETS */}}
{{- define "webhook-certd.targets" -}}
{{- if kindIs "slice" .Values.targets -}}
{{ join "," .Values.targets }}
{{- else -}}
validatingwebhookconfiguration/{{ include "webhook-certd.clusterName" . }}
{{- end -}}
{{- end -}}

{{- define "webhook-certd.unprivileged" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
{{- end -}}

{{/* A probe: (list "/livez" PERIOD TIMEOUT FAILURES). */}}
{{- define "webhook-certd.probe" -}}
httpGet:
  path: {{ index . 0 }}
  port: probes
  scheme: HTTP
successThreshold: 1
periodSeconds: {{ index . 1 }}
timeoutSeconds: {{ index . 2 }}
failureThreshold: {{ index . 3 }}
{{- end -}}

{{- define "webhook-certd.spread" -}}
maxSkew: 1
topologyKey: {{ index . 1 }}
whenUnsatisfiable: ScheduleAnyway
labelSelector:
  matchLabels:
    {{- include "webhook-certd.labels" (index . 0) | nindent 4 }}
{{- end -}}
