// From a target on the command line to whoever answers there.
//
// http(s)://HOST[:PORT]/v2/models/NAME[/versions/V]: Open Inference Protocol v2 (KServe, Triton, MLServer,
//     OpenVINO); http(s)://HOST[:PORT]/v1/models/NAME[/versions/V]: TensorFlow Serving REST. A gateway may have
//     put a path before that.
// exec:COMMAND, exec+binary:COMMAND: a program that answers on its standard output, modelseal-exec(7).
#pragma once

#include <string_view>

#include "oracle/oracle.h"
#include <modelseal/fingerprint.h>

namespace modelseal::oracle {

bool is_endpoint(std::string_view target);  // a URL, exec: or exec+binary:, not a file

// `expected`: what will be asked. Error `mismatch` if the other side's metadata names another shape.
Result<std::unique_ptr<Oracle>> connect(const std::string& target, const EndpointOptions& options,
                                        const InputShape& expected);

}  // namespace modelseal::oracle
