#!/usr/bin/env bash
# examples/fleet/kubernetes.yaml: valid by the published schema of Jobs, and its command does in a shell, with the environment that
# an Indexed Job sets, what the manifest promises; one pod is killed in the middle and started again.
#   tests/fleet/kubernetes.sh        with modelseal and small_network in PATH
# The schema is part of a package of PyPI; where that cannot be had, only the command is tried.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
manifest=$here/../../examples/fleet/kubernetes.yaml
. "$here/fleet.sh"
trap 'rm -rf "$work"' EXIT

python=$("$here/../venv.sh" kubernetes "$here/requirements.txt") || skip "no schema of Kubernetes, and no parser for YAML"
"$python" -m kubernetes_validate --strict "$manifest" || fail "the manifest is not valid"
sed 's/completions: 8/completions: eight/' "$manifest" >"$work/wrong.yaml"
"$python" -m kubernetes_validate --strict "$work/wrong.yaml" >/dev/null 2>&1 && fail "a wrong manifest is called valid"

# Command and environment of the container, as its pod would run them; its volumes are folders here.
"$python" - "$manifest" "$work" <<'END'
import sys
import yaml
job = yaml.safe_load(open(sys.argv[1]))
spec = job["spec"]
container = spec["template"]["spec"]["containers"][0]
environment = {each["name"]: each["value"] for each in container["env"]}
assert spec["completionMode"] == "Indexed" and environment["JOB_COMPLETIONS"] == str(spec["completions"])
assert container["command"] == ["sh", "-c"]
mounts = {each["mountPath"] for each in container["volumeMounts"]}
assert mounts == {"/models", "/keys", "/results"}
script = container["args"][0]
for mount, folder in {"/models/list.txt": "list.txt", "/keys": "keys", '"/results/': '"results/'}.items():
    assert mount in script
    script = script.replace(mount, f"{folder}" if mount.startswith('"') else f"{sys.argv[2]}/{folder}")
open(f"{sys.argv[2]}/pod.sh", "w").write(script)
open(f"{sys.argv[2]}/completions", "w").write(str(spec["completions"]))
END
[ -s "$work/pod.sh" ] || fail "the manifest has no command"
make_fleet 80
check_alone
completions=$(cat "$work/completions")
pod() { (cd "$work" && JOB_COMPLETIONS=$completions JOB_COMPLETION_INDEX=$1 sh pod.sh 2>>"$work/pods.log"); }
for ((i = 0; i < completions; i++)); do
    pod "$i" || fail "pod $i: $(cat "$work/pods.log")"
done
compare_with_one
# Killed in the middle of a line: what was complete stays, and the rest is checked when the pod is started again.
size=$(stat -c %s "$work/results/2.jsonl")
truncate -s $((size / 2)) "$work/results/2.jsonl"
pod 2 || fail "pod 2, started again: $(cat "$work/pods.log")"
compare_with_one
# A pod without the number of completions fails, instead of checking some share or other.
(cd "$work" && JOB_COMPLETION_INDEX=0 sh pod.sh) 2>/dev/null && fail "no number of completions, and no error"
echo "$completions pods, one killed and started again: merged as one process"
