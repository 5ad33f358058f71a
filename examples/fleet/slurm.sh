#!/usr/bin/env bash
# Checks the models of a list on the nodes of a Slurm cluster, a task of the array each share of them.
#   sbatch --array=0-7 examples/fleet/slurm.sh LIST KEYS RESULTS
#   modelseal report merge RESULTS/*.jsonl
# LIST has a path on a line, the same on every node; KEYS is a folder of the vendors' public keys; RESULTS is a folder that all
# nodes share. A task that was killed goes on where its results end when it is started again ('scontrol requeue JOB_TASK').
#SBATCH --job-name=modelseal
#SBATCH --array=0-7
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=modelseal-%a.log
set -uo pipefail
list=$1 keys=$2 results=$3

share() {
    modelseal check --from "$list" --trust "$keys" --shard auto --results "$results/$SLURM_ARRAY_TASK_ID.jsonl" --resume \
        --jobs "${SLURM_CPUS_ON_NODE:-1}" --quiet >/dev/null
}
# A model that was changed, never sealed, or cannot be read is a result, not a task that failed: a second run has nothing left to
# check, and exits with 0, unless the first could not go on.
share || share
