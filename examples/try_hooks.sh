#!/usr/bin/env bash
# From the release of a small network to the start of a server: a repository refuses the network with a flipped bit, and a
# server does not start with it. Uses the modelseal on the PATH, or builds it.
. "$(dirname "$(readlink -f "$0")")/begin.sh"
build_if_missing plain small_network
export GIT_CONFIG_GLOBAL=$work/gitconfig GIT_CONFIG_NOSYSTEM=1
git config --global user.name tester
git config --global user.email tester@example.org
git config --global init.defaultBranch main

small_network network.safetensors
modelseal keygen vendor --no-passphrase --quiet
say "$examples/1_seal_in_a_pipeline.sh" network.safetensors 2.0 vendor.key vendor.pub sealed.safetensors
cat >policy.toml <<'POLICY'
version = 1
[[vendor]]
name = "acme"
keys = ["vendor.pub"]
[[model]]
match = "acme/nets/**"
minimum = { version = "2.0" }
POLICY

git init --quiet --bare server.git
say "$examples/13_pre_receive_hook.sh" server.git acme/nets policy.toml audit.jsonl
git init --quiet clone
git -C clone remote add origin "$work/server.git"
cp sealed.safetensors clone/net.safetensors
git -C clone add .
git -C clone commit --quiet -m "release 2.0"
say git -C clone push --quiet origin main

flip clone/net.safetensors 300000 1
git -C clone commit --quiet --all -m "one bit"
expect 1 git -C clone push --quiet origin main
[ "$(git -C server.git rev-parse main)" = "$(git -C clone rev-parse HEAD~1)" ]
say cat audit.jsonl

# At the start of a server. The one here shows what it would load.
export MODELSEAL_POLICY=$work/policy.toml
say "$examples/14_check_at_start.sh" sealed.safetensors echo "the server starts"
expect 1 "$examples/14_check_at_start.sh" clone/net.safetensors echo "the server starts"
