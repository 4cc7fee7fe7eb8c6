#!/usr/bin/env bash
# chart.sh DIRECTORY [write] - renders the chart with its defaults and with other values,
# holds what comes out to Kubernetes' schemas, and the plain manifests to the chart.
# DIRECTORY keeps what npm installs. With "write", the plain manifests are renewed.
set -euo pipefail
mkdir -p "$1"
WORK=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
CHART=deploy/kubernetes/chart
PLAIN=deploy/kubernetes/hearsay.yaml

cp tests/deploy/chart/* "$WORK"
(cd "$WORK" && npm install --no-audit --no-fund --loglevel=error >/dev/null)

render() {
    node "$WORK/render.js" "$@"
}

fail() {
    echo "chart: $*" >&2
    exit 1
}

{
    echo "# Made from deploy/kubernetes/chart by tools/dev deploy chart; do not edit."
    echo "#   kubectl apply -f deploy/kubernetes/hearsay.yaml"
    render $CHART
} >"$WORK/hearsay.yaml"
[ "${2:-}" != write ] || cp "$WORK/hearsay.yaml" $PLAIN
diff -u $PLAIN "$WORK/hearsay.yaml" >&2 ||
    fail "$PLAIN is not what the chart renders to: tests/deploy/chart.sh build-package/chart write"

cat >"$WORK/other.yaml" <<'YAML'
replicas: 3
authSecret: hearsay-auth
extraConfig: loglevel verbose
storage: {class: fast}
YAML
render $CHART "$WORK/other.yaml" >"$WORK/other.out"
for line in 'include /etc/hearsay-auth/auth.conf' 'loglevel verbose' 'storageClassName: fast' \
    'replicas: 3' 'secretName: hearsay-auth'; do
    grep -qF "$line" "$WORK/other.out" || fail "with other values there is no '$line'"
done
! grep -q 'protected-mode no' "$WORK/other.out" || fail "protected mode is off despite a password"

# The check is seen to fire: a wrong type, a misspelt name, a function that is Helm's.
for change in 's/periodSeconds: 5/periodSeconds: often/' \
    's/podManagementPolicy/podManagmentPolicy/' \
    's/{{ .Values.replicas }}/{{ .Values.replicas | quote }}/' 's/serviceName:/service:/'; do
    rm -rf "$WORK/bad"
    cp -r $CHART "$WORK/bad"
    sed -i "$change" "$WORK/bad/templates/statefulset.yaml"
    ! cmp -s $CHART/templates/statefulset.yaml "$WORK/bad/templates/statefulset.yaml" ||
        fail "$change changes nothing"
    ! render "$WORK/bad" >/dev/null 2>&1 || fail "$change was not noticed"
done

# The configuration in it is one that hearsayd takes.
python3 - "$WORK/hearsay.yaml" >"$WORK/hearsay.conf" <<'PY'
import sys
import yaml

for one in yaml.safe_load_all(open(sys.argv[1], encoding="utf-8")):
    if one["kind"] == "ConfigMap":
        print(one["data"]["hearsay.conf"])
PY
sed -i '/^dir /d' "$WORK/hearsay.conf"
build-package/hearsayd "$WORK/hearsay.conf" --check-config
