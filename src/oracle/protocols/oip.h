// The messages of the Open Inference Protocol v2 over HTTP, apart from their transport:
// https://github.com/kserve/open-inference-protocol, with Triton's extension for binary tensors.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/model_info.h"
#include <modelseal/result.h>

namespace modelseal::oracle {

Result<ModelInfo> parse_oip_model(std::string_view body, const std::string& source);

// True if the server's metadata list the extension; false for metadata that cannot be read.
bool lists_binary_tensors(std::string_view body);

struct OipRequest {
    const TensorInfo& input;          // of a type of is_input_type()
    std::vector<std::int64_t> shape;  // of this batch
    std::span<const float> values;
    std::string output;  // the only one to return; empty: all
};

std::string oip_json_request(const OipRequest& request);
// With the length of its JSON part, for the header field Inference-Header-Content-Length.
std::string oip_binary_request(const OipRequest& request, std::size_t& header);

// `header`: the field Inference-Header-Content-Length of the answer; empty if it has none. Outputs whose
// types are not numbers have no values.
Result<std::vector<OutputTensor>> parse_oip_answer(std::string_view body, std::string_view header,
                                                   const std::string& source);

}  // namespace modelseal::oracle
