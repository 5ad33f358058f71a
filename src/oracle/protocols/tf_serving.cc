#include "oracle/protocols/tf_serving.h"

#include <map>

#include <fmt/format.h>

#include "formats/json.h"
#include "oracle/batched.h"
#include "oracle/endpoint.h"
#include "oracle/input_tensor.h"
#include "oracle/json_text.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

using nlohmann::json;

std::string datatype_of(const std::string& tf) {
    static const std::map<std::string, std::string, std::less<>> names = {
        {"DT_FLOAT", "FP32"},  {"DT_DOUBLE", "FP64"},   {"DT_HALF", "FP16"},     {"DT_BFLOAT16", "BF16"},
        {"DT_INT8", "INT8"},   {"DT_INT16", "INT16"},   {"DT_INT32", "INT32"},   {"DT_INT64", "INT64"},
        {"DT_UINT8", "UINT8"}, {"DT_UINT16", "UINT16"}, {"DT_UINT32", "UINT32"}, {"DT_UINT64", "UINT64"}};
    const auto found = names.find(tf);
    return found == names.end() ? tf : found->second;
}

Result<std::vector<TensorInfo>> infos_of(const json& tensors, const std::string& source) {
    std::vector<TensorInfo> infos;
    if (tensors.size() > kMaxOutputs)
        return util::malformed(source, "the model's metadata has too many tensors");
    for (const auto& [name, tensor] : tensors.items()) {
        TensorInfo info{name, {}, {}};
        if (const auto* dtype = member(tensor, "dtype", &json::is_string)) {
            info.datatype = datatype_of(dtype->get<std::string>());
        }
        const auto* shape = member(tensor, "tensor_shape", &json::is_object);
        const auto* dimensions = shape != nullptr ? member(*shape, "dim", &json::is_array) : nullptr;
        if (dimensions != nullptr && dimensions->size() > kMaxRank) {
            return util::malformed(source, "the model's metadata has a tensor of too many dimensions");
        }
        for (std::size_t i = 0; dimensions != nullptr && i < dimensions->size(); ++i) {
            const auto& dimension = (*dimensions)[i];
            const auto extent = dimension.is_object() && dimension.contains("size")
                                    ? extent_of(dimension["size"])
                                    : std::nullopt;
            if (!extent) return util::malformed(source, "the model's metadata has an invalid shape");
            info.shape.push_back(*extent);
        }
        infos.push_back(std::move(info));
    }
    return infos;
}

// Rows of named outputs, as one list for each name.
Result<std::map<std::string, json>> columns_of(const json& rows, const std::string& source) {
    std::map<std::string, json> columns;
    for (const auto& row : rows) {
        if (!row.is_object() || row.size() > kMaxOutputs) {
            return util::malformed(source, "the answer has rows of different kinds");
        }
        for (const auto& [name, value] : row.items()) columns[name].push_back(value);
    }
    for (const auto& [name, column] : columns) {
        if (column.size() != rows.size()) {
            return util::malformed(source,
                                   fmt::format("output '{}' is not in every row", util::printable(name)));
        }
    }
    return columns;
}

bool has_text(const json& value) {
    if (value.is_array()) return !value.empty() && has_text(value.front());
    return value.is_string() || value.is_boolean() || value.is_object();
}

// Outputs of strings are none that could count, and stay without values.
Result<OutputTensor> named(const std::string& name, const json& lists, const std::string& source) {
    OutputTensor tensor;
    if (!has_text(lists)) {
        MODELSEAL_TRY_ASSIGN(tensor, from_lists(lists, NumberKind::other, source));
    }
    tensor.name = name;
    return tensor;
}

template <class Columns>
Result<std::vector<OutputTensor>> all_named(const Columns& columns, const std::string& source) {
    std::vector<OutputTensor> tensors;
    for (const auto& [name, lists] : columns) {
        MODELSEAL_TRY_ASSIGN(auto tensor, named(name, lists, source));
        tensors.push_back(std::move(tensor));
    }
    return tensors;
}

}  // namespace

Result<ModelInfo> parse_tf_model(std::string_view body, const std::string& source) {
    MODELSEAL_TRY_ASSIGN(const auto document, parse_answer(body, source, "the model's metadata"));
    const json* at = &document;
    for (const auto* key : {"metadata", "signature_def", "signature_def", "serving_default"}) {
        at = member(*at, key, &json::is_object);
        if (at == nullptr) return ModelInfo{};
    }
    ModelInfo model;
    if (const auto* inputs = member(*at, "inputs", &json::is_object)) {
        MODELSEAL_TRY_ASSIGN(model.inputs, infos_of(*inputs, source));
    }
    if (const auto* outputs = member(*at, "outputs", &json::is_object)) {
        MODELSEAL_TRY_ASSIGN(model.outputs, infos_of(*outputs, source));
    }
    return model;
}

std::string tf_request(std::span<const float> values, std::span<const std::int64_t> shape,
                       const BatchRule& batch) {
    // Instances always have a batch dimension; inputs are taken as they are.
    std::string text = batch.dimension ? "{\"instances\":" : "{\"inputs\":";
    append_nested(text, values, shape);
    return text + '}';
}

Result<std::vector<OutputTensor>> parse_tf_answer(std::string_view body, const std::string& source) {
    MODELSEAL_TRY_ASSIGN(const auto document, parse_answer(body, source, "the answer"));
    if (const auto* rows = member(document, "predictions", &json::is_array)) {
        if (!rows->empty() && rows->front().is_object()) {
            MODELSEAL_TRY_ASSIGN(const auto columns, columns_of(*rows, source));
            return all_named(columns, source);
        }
        return all_named(std::map<std::string, json>{{"", *rows}}, source);
    }
    const auto outputs = document.is_object() ? document.find("outputs") : document.end();
    if (outputs == document.end() || !outputs->is_structured() || outputs->empty()) {
        return util::malformed(source, fmt::format("the answer has no predictions: '{}'", complaint_of(body)));
    }
    if (outputs->is_array()) return all_named(std::map<std::string, json>{{"", *outputs}}, source);
    if (outputs->size() > kMaxOutputs) return util::malformed(source, "the answer has too many outputs");
    return all_named(outputs->get<std::map<std::string, json>>(), source);
}

// TensorFlow Serving's REST interface: reads the signature from the metadata, if any, then sends rows.

namespace {

class TfServingOracle final : public BatchedOracle {
  public:
    TfServingOracle(std::unique_ptr<ModelServer> server, InputShape shape, const BatchRule& batch,
                    std::string datatype, const EndpointOptions& options)
        : BatchedOracle(server->name(), std::move(shape), options.batch, server->deadline()),
          server_(std::move(server)),
          batch_(batch),
          datatype_(std::move(datatype)),
          output_(options.output) {
        if (batch.fixed != 0) fix_batch(batch.fixed);
    }

  private:
    Reply ask_batch(std::span<const float> inputs, std::size_t count) override {
        const auto values = exact_values(inputs, input(), datatype_, name());
        if (!values.ok()) return {values.error()};
        bool too_large = false;
        const auto response =
            server_->post({.path = server_->path() + ":predict",
                           .body = tf_request(*values, shape_of(count, input(), batch_), batch_),
                           .media_type = "application/json"},
                          too_large);
        if (!response.ok()) return {response.error(), too_large};
        if (response->status != 200) return {refusal(*response, name()), may_be_too_large(response->status)};
        return {read(*response, count), response->body.size() > 2 * formats::kMaxJsonValues};
    }

    Result<Answers> read(const http::Response& response, std::size_t count) {
        MODELSEAL_TRY_ASSIGN(auto tensors, parse_tf_answer(response.body, name()));
        add_batch_dimension(tensors, batch_);
        // A single output is not named.
        const bool nameless = tensors.size() == 1 && tensors[0].name.empty();
        return to_answers(std::move(tensors), nameless ? std::string() : output_, count, name());
    }

    std::unique_ptr<ModelServer> server_;
    BatchRule batch_;
    std::string datatype_, output_;
};

// A server without metadata is accepted if it has the model.
Result<ModelInfo> ask_model(ModelServer& server) {
    MODELSEAL_TRY_ASSIGN(const auto response, server.get(server.path() + "/metadata"));
    if (response.status == 200) return parse_tf_model(response.body, server.name());
    MODELSEAL_TRY(get_document(server, server.path()));
    return ModelInfo{};
}

}  // namespace

Result<std::unique_ptr<Oracle>> connect_tf_serving(std::unique_ptr<ModelServer> server,
                                                   const EndpointOptions& options, const InputShape& expected) {
    const auto source = server->name();
    if (options.tensors == EndpointOptions::Tensors::binary) {
        return Error{ErrorKind::usage,
                     fmt::format("{}: TensorFlow Serving does not accept binary tensors over REST", source),
                     "do not choose how tensors are sent"};
    }
    MODELSEAL_TRY_ASSIGN(const auto model, ask_model(*server));
    MODELSEAL_TRY_ASSIGN(const auto info, sole_input(model, expected, source));
    MODELSEAL_TRY(sole_output(model, options.output, source));
    BatchRule batch;
    MODELSEAL_TRY_ASSIGN(auto shape, agree(expected, info, source, batch));
    return std::unique_ptr<Oracle>(
        std::make_unique<TfServingOracle>(std::move(server), std::move(shape), batch, info.datatype, options));
}

}  // namespace modelseal::oracle
