#!/usr/bin/env bash
# Installs modelseal in a bare repository, as its pre-receive hook: pushes of models that the policy does not let in are
# refused. The rules of the policy are looked up by NAME/PATH; the audit log gets a line a decision.
#   examples/13_pre_receive_hook.sh REPOSITORY NAME POLICY AUDIT-LOG
set -euo pipefail
repository=$1 name=$2 policy=$(readlink -f "$3") audit=$(readlink -m "$4")

cat >"$repository/hooks/pre-receive" <<HOOK
#!/bin/sh
exec $(command -v modelseal) hook git --policy '$policy' --name '$name' --audit '$audit' -- "\$@"
HOOK
chmod +x "$repository/hooks/pre-receive"
