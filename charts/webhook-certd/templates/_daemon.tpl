{{/* The container of the daemon, as a list of one. */}}
{{- define "webhook-certd.daemon" -}}
{{- $name := include "webhook-certd.name" . -}}
{{- $image := include "webhook-certd.image" . -}}
{{- $answer := get (dict "handler" "WEBHOOK_HANDLER" "upstream" "UPSTREAM_URL" "serving" "SERVING_ADDRESS") .Values.mode -}}
{{- $standard := get (dict "handler" "builtin:allow" "upstream" "http://127.0.0.1:9000" "serving" "127.0.0.1:9443") .Values.mode -}}
{{- if hasPrefix "unix:" (get .Values.env $answer | toString) -}}
{{- fail (printf "env.%s: expected an address on 127.0.0.1, because the containers share no volume for a socket" $answer) -}}
{{- end -}}
{{- $given := list "NAME" "CA_BUNDLE_TARGETS" "CERT_ISSUER" $answer -}}
- name: webhook-certd
  {{- if eq .Values.mode "serving" }}
  restartPolicy: Always
  {{- end }}
  image: {{ $image | quote }}
  imagePullPolicy: {{ include "webhook-certd.pullPolicy" $image }}
  terminationMessagePath: /dev/termination-log
  terminationMessagePolicy: File
  env:
    - name: POD_NAME
      valueFrom:
        fieldRef:
          apiVersion: v1
          fieldPath: metadata.name
    - name: POD_NAMESPACE
      valueFrom:
        fieldRef:
          apiVersion: v1
          fieldPath: metadata.namespace
    - name: {{ $answer }}
      value: {{ include "webhook-certd.variable" (list . $answer $standard) | quote }}
    - name: NAME
      value: {{ $name | quote }}
    - name: CA_BUNDLE_TARGETS
      value: {{ include "webhook-certd.targets" . | quote }}
    {{- if eq .Values.mode "serving" }}
    {{- $given = append $given "HEALTH_PROBE_BIND_ADDRESS" }}
    {{- $given = append $given "METRICS_BIND_ADDRESS" }}
    - name: HEALTH_PROBE_BIND_ADDRESS
      value: {{ include "webhook-certd.probeAddress" . | quote }}
    - name: METRICS_BIND_ADDRESS
      value: {{ include "webhook-certd.metricsAddress" . | quote }}
    {{- end }}
    {{- if ne .Values.issuer "self-signed" }}
    - name: CERT_ISSUER
      value: {{ .Values.issuer }}
    {{- end }}
    {{- with include "webhook-certd.sourceSecret" . }}
    {{- $given = append $given "SOURCE_SECRET" }}
    - name: SOURCE_SECRET
      value: {{ . | quote }}
    {{- end }}
    {{- range $variable, $value := .Values.env }}
    {{- if not (has $variable $given) }}
    - name: {{ $variable }}
      value: {{ $value | toString | quote }}
    {{- end }}
    {{- end }}
  ports:
    {{- if ne .Values.mode "serving" }}
    - name: webhook
      containerPort: {{ include "webhook-certd.webhookPort" . }}
      protocol: TCP
    {{- end }}
    - name: probes
      containerPort: {{ include "webhook-certd.probeAddress" . | regexFind "[0-9]+$" }}
      protocol: TCP
    {{- with include "webhook-certd.metricsPort" . }}
    - name: metrics
      containerPort: {{ . }}
      protocol: TCP
    {{- end }}
  startupProbe:
    {{- if eq .Values.mode "serving" }}
    # The app is started once the certificate is mounted.
    {{- include "webhook-certd.probe" (list "/startupz" 1 1 300) | nindent 4 }}
    {{- else }}
    {{- include "webhook-certd.probe" (list "/livez" 1 1 60) | nindent 4 }}
    {{- end }}
  livenessProbe:
    {{- include "webhook-certd.probe" (list "/livez" 10 5 3) | nindent 4 }}
  readinessProbe:
    {{- include "webhook-certd.probe" (list "/readyz" 2 2 3) | nindent 4 }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    {{- include "webhook-certd.unprivileged" . | nindent 4 }}
  volumeMounts:
    # CERT_DIR. The whole volume: a subPath mount is never updated.
    - name: serving-certs
      mountPath: {{ include "webhook-certd.certDir" . | quote }}
      readOnly: true
{{- end -}}
