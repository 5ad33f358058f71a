#include "oracle/protocols/oip.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "formats/json.h"
#include "oracle/batched.h"
#include "oracle/endpoint.h"
#include "oracle/input_tensor.h"
#include "oracle/json_text.h"
#include "oracle/output_tensor.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

using nlohmann::json;

Result<TensorInfo> read_info(const json& entry, const std::string& source, std::int64_t least) {
    const auto* name = entry.is_object() ? member(entry, "name", &json::is_string) : nullptr;
    const auto* datatype = name != nullptr ? member(entry, "datatype", &json::is_string) : nullptr;
    const auto* shape = datatype != nullptr ? member(entry, "shape", &json::is_array) : nullptr;
    if (shape == nullptr) return util::malformed(source, "lists a tensor without a name, datatype or shape");
    TensorInfo info{name->get<std::string>(), datatype->get<std::string>(), {}};
    const auto shown_name = util::printable(info.name);
    if (shape->size() > kMaxRank)
        return util::malformed(source, fmt::format("tensor '{}' has too many dimensions", shown_name));
    for (const auto& entry_extent : *shape) {
        const auto extent = extent_of(entry_extent);
        if (!extent || *extent < least)
            return util::malformed(source, fmt::format("tensor '{}' has an invalid shape", shown_name));
        info.shape.push_back(*extent);
    }
    return info;
}

Result<std::vector<TensorInfo>> read_infos(const json& model, const char* key, const std::string& source) {
    std::vector<TensorInfo> infos;
    const auto found = model.find(key);
    if (found == model.end() || found->is_null()) return infos;
    if (!found->is_array() || found->size() > kMaxOutputs) {
        return util::malformed(source, fmt::format("the model's metadata has no list of {}", key));
    }
    for (const auto& entry : *found) {
        MODELSEAL_TRY_ASSIGN(auto info, read_info(entry, source, -1));
        for (const auto& other : infos) {
            if (other.name == info.name) {
                return util::malformed(
                    source, fmt::format("two {} have the name '{}'", key, util::printable(info.name)));
            }
        }
        infos.push_back(std::move(info));
    }
    return infos;
}

// How many bytes of the tail belong to an output; none if its data is in the JSON.
Result<std::optional<std::size_t>> tail_bytes(const json& entry, const std::string& source) {
    const auto* parameters = member(entry, "parameters", &json::is_object);
    const auto found = parameters != nullptr ? parameters->find("binary_data_size") : json::const_iterator{};
    if (parameters == nullptr || found == parameters->end()) return std::optional<std::size_t>{};
    const auto bytes = extent_of(*found);
    if (!bytes || *bytes < 0) return util::malformed(source, "an output has an invalid binary_data_size");
    return std::optional<std::size_t>(static_cast<std::size_t>(*bytes));
}

Result<OutputTensor> read_binary(const TensorInfo& info, std::string_view bytes, const std::string& source) {
    OutputTensor tensor;
    tensor.kind = kind_of(info.datatype);
    if (tensor.kind == NumberKind::other) return tensor;
    const auto each = element_bytes(info.datatype);
    std::size_t elements = 0;
    if (!elements_of(info.shape, formats::kMaxJsonValues * 16, elements) || bytes.size() != elements * each) {
        return util::malformed(
            source, fmt::format("output '{}' of shape {} and type {} has {}", util::printable(info.name),
                                shown(info.shape), util::printable(info.datatype),
                                util::counted(bytes.size(), "byte")));
    }
    if (!decode(info.datatype, bytes, tensor)) {
        return util::malformed(
            source, fmt::format("output '{}' has numbers of more than 63 bits", util::printable(info.name)));
    }
    return tensor;
}

// The protocol lets data be flat or nested.
Result<OutputTensor> read_json(const TensorInfo& info, const json& entry, const std::string& source) {
    OutputTensor tensor;
    tensor.kind = kind_of(info.datatype);
    if (tensor.kind == NumberKind::other) return tensor;
    const auto* data = member(entry, "data", &json::is_array);
    if (data == nullptr) {
        return util::malformed(source, fmt::format("output '{}' has no data", util::printable(info.name)));
    }
    MODELSEAL_TRY_ASSIGN(tensor, from_lists(*data, tensor.kind, source));
    const auto numbers = tensor.values.size() + tensor.integers.size();
    std::size_t elements = 0;
    if (!elements_of(info.shape, numbers, elements) || elements != numbers) {
        return util::malformed(source, fmt::format("output '{}' of shape {} has {}", util::printable(info.name),
                                                   shown(info.shape), util::counted(numbers, "number")));
    }
    return tensor;
}

Result<std::string_view> split(std::string_view& body, std::string_view header, const std::string& source) {
    if (header.empty()) return std::string_view{};
    std::size_t length = 0;
    const auto [stop, code] = std::from_chars(header.data(), header.data() + header.size(), length);
    if (code != std::errc() || stop != header.data() + header.size() || length > body.size()) {
        return util::malformed(
            source, fmt::format("the answer has {}, but states a JSON part of '{}'",
                                util::counted(body.size(), "byte"), util::printable(header.substr(0, 40))));
    }
    const auto tail = body.substr(length);
    body = body.substr(0, length);
    return tail;
}

std::string request_text(const OipRequest& request, const json& input_parameters, const json& output_parameters,
                         bool all_binary) {
    json input = {{"name", request.input.name}, {"datatype", request.input.datatype}, {"shape", request.shape}};
    if (!input_parameters.empty()) input["parameters"] = input_parameters;
    std::string text = "{\"inputs\":[" + dump(input);
    if (input_parameters.empty()) {
        text.pop_back();
        text += ",\"data\":";
        append_numbers(text, request.values);
        text += '}';
    }
    text += ']';
    if (!request.output.empty()) {
        json output = {{"name", request.output}};
        if (!output_parameters.empty()) output["parameters"] = output_parameters;
        text += ",\"outputs\":[" + dump(output) + ']';
    } else if (all_binary) {
        text += ",\"parameters\":{\"binary_data_output\":true}";
    }
    return text + '}';
}

}  // namespace

Result<ModelInfo> parse_oip_model(std::string_view body, const std::string& source) {
    MODELSEAL_TRY_ASSIGN(const auto document, parse_answer(body, source, "the model's metadata"));
    if (!document.is_object()) return util::malformed(source, "the model's metadata is not a JSON object");
    ModelInfo model;
    MODELSEAL_TRY_ASSIGN(model.inputs, read_infos(document, "inputs", source));
    MODELSEAL_TRY_ASSIGN(model.outputs, read_infos(document, "outputs", source));
    return model;
}

bool lists_binary_tensors(std::string_view body) {
    const auto document = parse_answer(body, "", "");
    if (!document.ok() || !document->is_object()) return false;
    const auto extensions = document->find("extensions");
    return extensions != document->end() && extensions->is_array() &&
           std::find(extensions->begin(), extensions->end(), json("binary_tensor_data")) != extensions->end();
}

std::string oip_json_request(const OipRequest& request) {
    return request_text(request, {}, {}, false);
}

std::string oip_binary_request(const OipRequest& request, std::size_t& header) {
    const auto bytes = request.values.size() * element_bytes(request.input.datatype);
    auto text = request_text(request, {{"binary_data_size", bytes}}, {{"binary_data", true}}, true);
    header = text.size();
    text.reserve(text.size() + bytes);
    append_values(text, request.values, request.input.datatype);
    return text;
}

Result<std::vector<OutputTensor>> parse_oip_answer(std::string_view body, std::string_view header,
                                                   const std::string& source) {
    MODELSEAL_TRY_ASSIGN(auto tail, split(body, header, source));
    MODELSEAL_TRY_ASSIGN(const auto document, parse_answer(body, source, "the answer"));
    const auto* outputs = document.is_object() ? member(document, "outputs", &json::is_array) : nullptr;
    if (outputs == nullptr || outputs->size() > kMaxOutputs) {
        return util::malformed(source, fmt::format("the answer has no outputs: '{}'", complaint_of(body)));
    }
    std::vector<OutputTensor> tensors;
    for (const auto& entry : *outputs) {
        MODELSEAL_TRY_ASSIGN(const auto info, read_info(entry, source, 0));
        MODELSEAL_TRY_ASSIGN(const auto bytes, tail_bytes(entry, source));
        if (bytes && *bytes > tail.size()) {
            return util::malformed(
                source, fmt::format("output '{}' should have {}, {} left", util::printable(info.name),
                                    util::counted(*bytes, "byte"), tail.size()));
        }
        MODELSEAL_TRY_ASSIGN(auto tensor, bytes ? read_binary(info, tail.substr(0, *bytes), source)
                                                : read_json(info, entry, source));
        if (bytes) tail.remove_prefix(*bytes);
        tensor.name = info.name;
        tensor.shape = info.shape;
        tensor.significand = significand_bits(info.datatype);
        tensors.push_back(std::move(tensor));
    }
    if (!tail.empty())
        return util::malformed(source,
                               fmt::format("{} after the last output", util::counted(tail.size(), "byte")));
    return tensors;
}

// The Open Inference Protocol v2: asks the model's metadata once, then sends batches as JSON or binary tensors.

namespace {

using Tensors = EndpointOptions::Tensors;

class OipOracle final : public BatchedOracle {
  public:
    OipOracle(std::unique_ptr<ModelServer> server, InputShape shape, const BatchRule& batch,
              const TensorInfo& info, const EndpointOptions& options)
        : BatchedOracle(server->name(), std::move(shape), options.batch, server->deadline()),
          server_(std::move(server)),
          batch_(batch),
          info_(info),
          output_(options.output) {
        if (batch.fixed != 0) fix_batch(batch.fixed);
    }

    void send(bool binary, bool may_fall_back) {
        binary_ = binary;
        may_fall_back_ = may_fall_back;
    }
    void want(std::string output) { output_ = std::move(output); }

  private:
    Reply ask_batch(std::span<const float> inputs, std::size_t count) override {
        auto reply = ask_once(inputs, count, binary_);
        if (!binary_ || !may_fall_back_) return reply;
        if (reply.answers.ok()) {
            may_fall_back_ = false;
            return reply;
        }
        if (!refused_) return reply;
        // It lists binary tensors, and may still refuse them.
        auto again = ask_once(inputs, count, false);
        if (again.answers.ok()) binary_ = false;
        return again;
    }

    Reply ask_once(std::span<const float> inputs, std::size_t count, bool binary) {
        const auto values = exact_values(inputs, input(), info_.datatype, name());
        if (!values.ok()) return {values.error()};
        const OipRequest message{info_, shape_of(count, input(), batch_), *values, output_};
        ModelServer::Post request{.path = server_->path() + "/infer"};
        if (binary) {
            std::size_t header = 0;
            request.body = oip_binary_request(message, header);
            request.media_type = "application/octet-stream";
            request.fields = {{"Inference-Header-Content-Length", std::to_string(header)}};
        } else {
            request.body = oip_json_request(message);
            request.media_type = "application/json";
        }
        bool too_large = refused_ = false;
        const auto response = server_->post(std::move(request), too_large);
        if (!response.ok()) return {response.error(), too_large};
        if (response->status != 200) {
            refused_ = response->status >= 400 && response->status < 500 && response->status != 401 &&
                       response->status != 403 && response->status != 429;
            return {refusal(*response, name()), may_be_too_large(response->status)};
        }
        // More values than our JSON takes come from too large a batch; each has at least two bytes.
        const bool long_text = response->body.size() > 2 * formats::kMaxJsonValues;
        return {read(*response, count), long_text};
    }

    Result<Answers> read(const http::Response& response, std::size_t count) {
        const auto header = response.field("inference-header-content-length");
        MODELSEAL_TRY_ASSIGN(auto tensors, parse_oip_answer(response.body, header, name()));
        add_batch_dimension(tensors, batch_);
        return to_answers(std::move(tensors), output_, count, name());
    }

    std::unique_ptr<ModelServer> server_;
    BatchRule batch_;
    TensorInfo info_;
    std::string output_;
    bool binary_ = false, may_fall_back_ = false;
    bool refused_ = false;  // the last request, for a reason that another encoding may not have
};

}  // namespace

Result<std::unique_ptr<Oracle>> connect_oip(std::unique_ptr<ModelServer> server, const EndpointOptions& options,
                                            const InputShape& expected) {
    const auto path = server->path(), source = server->name();
    MODELSEAL_TRY_ASSIGN(const auto metadata, get_document(*server, path));
    MODELSEAL_TRY_ASSIGN(const auto model, parse_oip_model(metadata, source));
    MODELSEAL_TRY_ASSIGN(const auto info, sole_input(model, expected, source));
    MODELSEAL_TRY_ASSIGN(auto output, sole_output(model, options.output, source));
    BatchRule batch;
    MODELSEAL_TRY_ASSIGN(auto shape, agree(expected, info, source, batch));

    const bool bytes_alone = needs_bytes(info.datatype);
    bool binary = options.tensors == Tensors::binary || bytes_alone;
    const bool automatic = options.tensors == Tensors::automatic && !bytes_alone;
    if (automatic) {
        // The server's own metadata are at the start of the path to the models: ".../v2".
        const auto about = server->get(path.substr(0, path.rfind("/models/")));
        binary = about.ok() && about->status == 200 && lists_binary_tensors(about->body);
    }
    auto oracle = std::make_unique<OipOracle>(std::move(server), std::move(shape), batch, info, options);
    oracle->send(binary, automatic);
    oracle->want(std::move(output));
    return std::unique_ptr<Oracle>(std::move(oracle));
}

}  // namespace modelseal::oracle
