#!/usr/bin/env bash
# The entry point of a container that serves a model: nothing starts before the model is checked, and what was checked is what
# is served, as long as the volume is mounted read-only.
#   FROM your-server
#   COPY modelseal 14_check_at_start.sh /usr/local/bin/
#   COPY policy.toml vendor.pub /etc/modelseal/
#   ENTRYPOINT ["14_check_at_start.sh", "/models/net"]
#   CMD ["your-server", "--model", "/models/net"]
#
#   examples/14_check_at_start.sh MODEL COMMAND...
set -euo pipefail
model=$1
shift

# The exit code of 'check' becomes that of the container: 1 refused, 3 could not be checked, 2 a mistake in the policy.
modelseal check "$model" --policy "${MODELSEAL_POLICY:-/etc/modelseal/policy.toml}" >&2
exec "$@"
