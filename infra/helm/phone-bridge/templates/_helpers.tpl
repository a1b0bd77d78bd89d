{{- define "phone-bridge.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "phone-bridge.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "phone-bridge.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "phone-bridge.selectorLabels" . }}
{{- end -}}

{{- define "phone-bridge.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "phone-bridge.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* A name and a hash of what it holds: pods are replaced when the settings change. */}}
{{- define "phone-bridge.checksums" -}}
checksum/settings: {{ include (print $.Template.BasePath "/configmap.yaml") . | sha256sum }}
checksum/secret: {{ include (print $.Template.BasePath "/secret.yaml") . | sha256sum }}
{{- end -}}

{{- define "phone-bridge.gracePeriodSeconds" -}}
{{- with .Values.drain -}}
{{- add .preStopSeconds .drainSeconds .marginSeconds -}}
{{- end -}}
{{- end -}}

{{- define "phone-bridge.hasDatabase" -}}
{{- if or .Values.database.existingSecret .Values.database.url -}}true{{- end -}}
{{- end -}}

{{/* What no schema can say. */}}
{{- define "phone-bridge.validate" -}}
{{- $many := or (gt (int .Values.replicaCount) 1) .Values.autoscaling.enabled -}}
{{- if and $many (not (include "phone-bridge.hasDatabase" .)) -}}
{{- fail "more than one replica needs a common database: set database.existingSecret (or database.url), or replicaCount to 1" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.publicUrl) -}}
{{- fail "the Ingress takes its host from publicUrl: set it to the address that carriers reach, such as https://calls.example.com" -}}
{{- end -}}
{{- if and .Values.secret.existingSecret .Values.secret.values -}}
{{- fail "secret.existingSecret and secret.values exclude each other: put all secrets into the Secret that you named" -}}
{{- end -}}
{{- if and .Values.database.existingSecret .Values.database.url -}}
{{- fail "database.existingSecret and database.url exclude each other: put the URL into the Secret that you named" -}}
{{- end -}}
{{- if hasKey .Values.settings "PHONE_BRIDGE_DRAIN_SECONDS" -}}
{{- fail "set drain.drainSeconds instead of PHONE_BRIDGE_DRAIN_SECONDS: the pod's grace period is computed from it" -}}
{{- end -}}
{{- end -}}
