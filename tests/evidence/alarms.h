// False alarms: a fingerprint held against the untouched model on many honest runtimes.
#pragma once

namespace CLI {
class App;
}

namespace modelseal::evidence {

//   alarms FP --pub VENDOR.pub [--by-runtime [--only ROW]] TARGET...
// TARGET: files of the model (TorchScript, ONNX), each run on every combination of threads, batch, memory
// format and kernels; or endpoints that serve it. The answers of each run are judged as they are, with few
// decimals, in half precision and bfloat16, and with noise. --by-runtime: files are run in ways that making a
// fingerprint does not try, a row for each kind.
void add_alarms(CLI::App& app);

}  // namespace modelseal::evidence
