_webhook_certd() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= word
  # Bash breaks words at the equals sign, too.
  if [[ $current == = ]]; then current=; elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in serve|check|rotate|manifests|init|try|demo|completion|version) command=$word; break ;; esac
  done
  case $previous in
    --name|--pod-namespace|--pod-name|--pod-selector|--lease-name|--annotation-prefix|--secret-name|--source-secret|--service-name|--extra-dns-names|--ca-bundle-targets|--cert-timeout|--tick-interval|--watch-stale-after|--lease-duration|--renew-deadline|--retry-period|--cert-validity|--renew-before|--ca-validity|--ca-renew-before|--ca-overlap|--trust-settle|--webhook-bind-address|--health-probe-bind-address|--metrics-bind-address|--upstream-url|--serving-address|--reload|--upstream-timeout|--max-request-bytes|--shutdown-grace|--warn-before|--every|--listen|--namespace|-n|--context|--timeout|--replicas|--target|--with|--image|--app-image|--package|--path|--user|--rotations|--kubelet-delay|--port) return ;;
    --kubeconfig|--cert-dir|--webhook-handler|--client-ca-file|--html|--metrics-file|--old|--handler|--review) COMPREPLY=($(compgen -f -- "$current")); return ;;
    --kubelet-nudge|--leader-election) COMPREPLY=($(compgen -W 'true false' -- "$current")); return ;;
    --cert-issuer|--issuer) COMPREPLY=($(compgen -W 'self-signed external relay' -- "$current")); return ;;
    --key-algorithm) COMPREPLY=($(compgen -W 'ecdsa-p256 ecdsa-p384 rsa-2048 rsa-3072 rsa-4096' -- "$current")); return ;;
    --tls-min-version) COMPREPLY=($(compgen -W '1.3 1.2' -- "$current")); return ;;
    --log-level) COMPREPLY=($(compgen -W 'debug info warn error' -- "$current")); return ;;
    --log-format) COMPREPLY=($(compgen -W 'json pretty' -- "$current")); return ;;
    --dial) COMPREPLY=($(compgen -W 'auto direct port-forward' -- "$current")); return ;;
    --output|-o) COMPREPLY=($(compgen -W 'text json' -- "$current")); return ;;
    --mode) COMPREPLY=($(compgen -W 'handler upstream serving' -- "$current")); return ;;
    --operation) COMPREPLY=($(compgen -W 'create update delete' -- "$current")); return ;;
  esac
  case $command:$current in
    serve:-*|:-*) COMPREPLY=($(compgen -W '--name --pod-namespace --pod-name --pod-selector --lease-name --annotation-prefix --secret-name --source-secret --service-name --extra-dns-names --ca-bundle-targets --kubeconfig --cert-dir --cert-timeout --tick-interval --watch-stale-after --kubelet-nudge --leader-election --lease-duration --renew-deadline --retry-period --cert-issuer --key-algorithm --cert-validity --renew-before --ca-validity --ca-renew-before --ca-overlap --trust-settle --webhook-bind-address --health-probe-bind-address --metrics-bind-address --webhook-handler --upstream-url --serving-address --reload --upstream-timeout --max-request-bytes --tls-min-version --client-ca-file --shutdown-grace --log-level --log-format --help -h' -- "$current")) ;;
    check:-*) COMPREPLY=($(compgen -W '--cluster --warn-before --dial --secrets --html --metrics-file --every --listen --rbac --namespace -n --context --output -o --json --name --pod-namespace --pod-name --pod-selector --lease-name --annotation-prefix --secret-name --source-secret --service-name --extra-dns-names --ca-bundle-targets --kubeconfig --cert-dir --cert-timeout --tick-interval --watch-stale-after --kubelet-nudge --leader-election --lease-duration --renew-deadline --retry-period --cert-issuer --key-algorithm --cert-validity --renew-before --ca-validity --ca-renew-before --ca-overlap --trust-settle --webhook-bind-address --health-probe-bind-address --metrics-bind-address --webhook-handler --upstream-url --serving-address --reload --upstream-timeout --max-request-bytes --tls-min-version --client-ca-file --shutdown-grace --log-level --log-format --help -h' -- "$current")) ;;
    rotate:-*) COMPREPLY=($(compgen -W '--ca --timeout --no-wait --namespace -n --context --output -o --json --name --pod-namespace --pod-name --pod-selector --lease-name --annotation-prefix --secret-name --source-secret --service-name --extra-dns-names --ca-bundle-targets --kubeconfig --cert-dir --cert-timeout --tick-interval --watch-stale-after --kubelet-nudge --leader-election --lease-duration --renew-deadline --retry-period --cert-issuer --key-algorithm --cert-validity --renew-before --ca-validity --ca-renew-before --ca-overlap --trust-settle --webhook-bind-address --health-probe-bind-address --metrics-bind-address --webhook-handler --upstream-url --serving-address --reload --upstream-timeout --max-request-bytes --tls-min-version --client-ca-file --shutdown-grace --log-level --log-format --help -h' -- "$current")) ;;
    manifests:-*) COMPREPLY=($(compgen -W '--namespace -n --create-namespace --mode --replicas --target --issuer --with --image --app-image --name --pod-namespace --pod-name --pod-selector --lease-name --annotation-prefix --secret-name --source-secret --service-name --extra-dns-names --ca-bundle-targets --kubeconfig --cert-dir --cert-timeout --tick-interval --watch-stale-after --kubelet-nudge --leader-election --lease-duration --renew-deadline --retry-period --cert-issuer --key-algorithm --cert-validity --renew-before --ca-validity --ca-renew-before --ca-overlap --trust-settle --webhook-bind-address --health-probe-bind-address --metrics-bind-address --webhook-handler --upstream-url --serving-address --reload --upstream-timeout --max-request-bytes --tls-min-version --client-ca-file --shutdown-grace --log-level --log-format --help -h' -- "$current")) ;;
    init:-*) COMPREPLY=($(compgen -W '--namespace -n --package --name --pod-namespace --pod-name --pod-selector --lease-name --annotation-prefix --secret-name --source-secret --service-name --extra-dns-names --ca-bundle-targets --kubeconfig --cert-dir --cert-timeout --tick-interval --watch-stale-after --kubelet-nudge --leader-election --lease-duration --renew-deadline --retry-period --cert-issuer --key-algorithm --cert-validity --renew-before --ca-validity --ca-renew-before --ca-overlap --trust-settle --webhook-bind-address --health-probe-bind-address --metrics-bind-address --webhook-handler --upstream-url --serving-address --reload --upstream-timeout --max-request-bytes --tls-min-version --client-ca-file --shutdown-grace --log-level --log-format --help -h' -- "$current")) ;;
    try:-*) COMPREPLY=($(compgen -W '--operation --old --path --user --json --help -h' -- "$current")) ;;
    demo:-*) COMPREPLY=($(compgen -W '--replicas --rotations --kubelet-delay --port --handler --review --json --help -h' -- "$current")) ;;
    completion:-*) COMPREPLY=($(compgen -W '--help -h' -- "$current")) ;;
    version:-*) COMPREPLY=($(compgen -W '--help -h' -- "$current")) ;;
    completion:*) COMPREPLY=($(compgen -W 'bash zsh fish' -- "$current")) ;;
    :*) COMPREPLY=($(compgen -W 'serve check rotate manifests init try demo completion version' -- "$current")) ;;
  esac
}
complete -F _webhook_certd webhook-certd
