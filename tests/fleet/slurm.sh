#!/usr/bin/env bash
# examples/fleet/slurm.sh for real: a Slurm controller and two nodes on this machine, on loopback, in a folder of their own; an
# array of eight tasks, one of which is killed in the middle and requeued; the merged results beside those of one process.
#   tests/fleet/slurm.sh             with modelseal and small_network in PATH; exits 77 where there is no Slurm
# KEEP=FOLDER keeps a copy of the logs.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/sbin
. "$here/fleet.sh"
pids=()
stop() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null; done
    if [ -n "${KEEP:-}" ]; then mkdir -p "$KEEP" && cp "$work"/*.log "$work"/results/*.jsonl "$KEEP" 2>/dev/null; fi
    rm -rf "$work"
}
trap stop EXIT

for tool in munged slurmctld slurmd sbatch; do
    command -v "$tool" >/dev/null || skip "there is no $tool (Debian: slurm-wlm, munge)"
done
[ "$(id -u)" = 0 ] || skip "slurmd needs to be root"

# Ports that nobody listens on: three in sequence, somewhere above 20000.
free_port() {
    local port
    for _ in $(seq 100); do
        port=$((20000 + RANDOM % 20000))
        ss -Hltn "( sport >= $port and sport <= $((port + 2)) )" 2>/dev/null | grep -q . || { echo "$port"; return; }
    done
}
port=$(free_port)
name=$(hostname -s)
chmod 711 "$work"
mkdir -m 700 "$work/munge" "$work/state" "$work/node1" "$work/node2"
dd if=/dev/urandom of="$work/munge/key" bs=64 count=1 status=none
chmod 400 "$work/munge/key"
cat >"$work/slurm.conf" <<END
ClusterName=modelseal
SlurmctldHost=$name(127.0.0.1)
SlurmUser=root
SlurmctldPort=$port
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
CredType=cred/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/%n
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/%n.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd-%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
ReturnToService=2
KillWait=2
SlurmdParameters=config_overrides
NodeName=node1 NodeHostname=$name NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=1 State=UNKNOWN
NodeName=node2 NodeHostname=$name NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=1 State=UNKNOWN
PartitionName=all Nodes=node1,node2 Default=YES MaxTime=INFINITE State=UP
END
echo "CgroupAutomount=no" >"$work/cgroup.conf"
export SLURM_CONF=$work/slurm.conf

munged --foreground --force --socket "$work/munge/socket" --key-file "$work/munge/key" --pid-file "$work/munge/pid" \
    --log-file "$work/munged.log" --seed-file "$work/munge/seed" >"$work/munged.out.log" 2>&1 &
pids+=($!)
for _ in $(seq 50); do [ -S "$work/munge/socket" ] && break; sleep 0.1; done
[ -S "$work/munge/socket" ] || skip "munged does not start here: $(tail -1 "$work/munged.log" "$work/munged.out.log")"
slurmctld -D >"$work/slurmctld.out.log" 2>&1 &
pids+=($!)
for node in node1 node2; do
    slurmd -D -N "$node" >"$work/slurmd-$node.out.log" 2>&1 &
    pids+=($!)
done
for _ in $(seq 100); do
    [ "$(sinfo -h -o '%D' -t idle 2>/dev/null | head -1)" = 2 ] && break
    sleep 0.2
done
[ "$(sinfo -h -o '%D' -t idle 2>/dev/null | head -1)" = 2 ] ||
    skip "Slurm does not start here: $(tail -n 2 "$work"/slurmctld.log "$work"/slurmd-*.log "$work"/*.out.log 2>/dev/null)"
sinfo

make_fleet 800
check_alone

# The first run of task 3 is killed when it has some results: a node that dies. The kill itself is the test's, so the program that
# the example calls is a wrapper.
mkdir "$work/bin"
cat >"$work/bin/modelseal" <<END
#!/usr/bin/env bash
if [ "\$SLURM_ARRAY_TASK_ID" != 3 ] || [ -e "$work/killed" ]; then exec $(command -v modelseal) "\$@"; fi
$(command -v modelseal) "\$@" &
while [ "\$(cat "$work/results/3.jsonl" 2>/dev/null | wc -l)" -lt 10 ]; do kill -0 \$! 2>/dev/null || break; sleep 0.001; done
kill -KILL \$!
wait \$!
wc -l <"$work/results/3.jsonl" >"$work/killed"
kill -KILL \$PPID
END
chmod +x "$work/bin/modelseal"
job=$(cd "$work" && PATH=$work/bin:$PATH sbatch --parsable --array=0-7 --chdir "$work" \
    "$here/../../examples/fleet/slurm.sh" "$work/list.txt" "$work/keys" "$work/results") || fail "sbatch"
echo "job $job"
states() { squeue -h -r -j "$job" -o '%K %T %r' 2>/dev/null; }
finished() { scontrol show job "$job" -o 2>/dev/null; }
for _ in $(seq 600); do
    [ -e "$work/killed" ] && finished | grep -q 'ArrayTaskId=3 .*JobState=FAILED' && break
    sleep 0.1
done
finished | grep -o 'ArrayTaskId=[0-9]* \|JobState=[A-Z]*\|NodeList=node[0-9]\|ExitCode=[0-9:]*' | tr '\n' ' '
echo
[ -e "$work/killed" ] || fail "task 3 was not killed: $(states)"
echo "task 3 was killed with $(cat "$work/killed") lines of results"
scontrol requeue "${job}_3" || fail "requeue"
scontrol update jobid="${job}_3" StartTime=now 2>/dev/null     # else a requeued task waits for two minutes
for _ in $(seq 600); do
    states | grep -q . || break
    sleep 0.2
done
states | grep . && fail "tasks are left"
finished | grep -o 'JobState=[A-Z]*' | sort | uniq -c
[ "$(finished | grep -c 'JobState=COMPLETED')" = 8 ] || fail "not every task is complete"
for i in 0 1 2 3 4 5 6 7; do
    [ -e "$work/results/$i.jsonl" ] || fail "no results of task $i: $(cat "$work"/modelseal-*.log)"
done
compare_with_one
lines=$(wc -l <"$work/results/3.jsonl")
[ "$(cat "$work/killed")" -lt "$lines" ] || fail "task 3 was complete before it was killed"
nodes=$(finished | grep -o 'NodeList=node[12]' | sort -u | wc -l)
[ "$nodes" = 2 ] || fail "both nodes should have had tasks, not $nodes"
echo "8 shares on 2 nodes, share 3 killed after $(cat "$work/killed") of $lines lines and resumed: merged as one process"
head -c 400 "$work/fleet.json"
