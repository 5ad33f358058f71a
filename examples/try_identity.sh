#!/usr/bin/env bash
# Identity images on a small classifier of digits: mark it, admit two users, revoke one, claim the model. Takes a minute.
# Uses the modelseal on the PATH, or builds it with LibTorch.
. "$(dirname "$(readlink -f "$0")")/begin.sh"
build_if_missing torch small_classifier
small_classifier .
modelseal keygen vendor --no-passphrase --quiet
say "$examples/12_admit_users.sh" net.onnx data keys vendor out
