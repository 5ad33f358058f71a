// The messages of TensorFlow Serving's REST interface, apart from their transport:
// https://www.tensorflow.org/tfx/serving/api_rest
#pragma once

#include "oracle/model_info.h"

namespace modelseal::oracle {

// The metadata of the signature "serving_default"; empty if there is none.
Result<ModelInfo> parse_tf_model(std::string_view body, const std::string& source);

// {"instances": ...}, or {"inputs": ...} for a model without a batch dimension: the inputs as nested lists.
std::string tf_request(std::span<const float> values, std::span<const std::int64_t> shape,
                       const BatchRule& batch);

// "predictions" (rows, or rows of named outputs) or "outputs" (columns).
Result<std::vector<OutputTensor>> parse_tf_answer(std::string_view body, const std::string& source);

}  // namespace modelseal::oracle
