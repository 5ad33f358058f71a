#include "oracle/oip_protocol.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "formats/json.h"
#include "oracle/json_text.h"
#include "oracle/little_endian.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

using nlohmann::json;

Error malformed_oip(const std::string& source, const std::string& what) {
    return {ErrorKind::malformed, fmt::format("{}: {}", source, what), {}};
}

Result<TensorInfo> read_info(const json& entry, const std::string& source, std::int64_t least) {
    const auto* name = entry.is_object() ? member(entry, "name", &json::is_string) : nullptr;
    const auto* datatype = name != nullptr ? member(entry, "datatype", &json::is_string) : nullptr;
    const auto* shape = datatype != nullptr ? member(entry, "shape", &json::is_array) : nullptr;
    if (shape == nullptr) return malformed_oip(source, "names a tensor without a name, datatype or shape");
    TensorInfo info{name->get<std::string>(), datatype->get<std::string>(), {}};
    const auto shown_name = util::printable(info.name);
    if (shape->size() > kMaxRank)
        return malformed_oip(source, fmt::format("tensor '{}' has too many dimensions", shown_name));
    for (const auto& extent : *shape) {
        // Some servers quote extents, as protobuf's JSON does with 64-bit integers; none are that large.
        if (!extent.is_number_integer() || extent < least || extent > (std::int64_t{1} << 40)) {
            return malformed_oip(source, fmt::format("tensor '{}' has a broken shape", shown_name));
        }
        info.shape.push_back(extent.get<std::int64_t>());
    }
    return info;
}

Result<std::vector<TensorInfo>> read_infos(const json& model, const char* key, const std::string& source) {
    std::vector<TensorInfo> infos;
    const auto found = model.find(key);
    if (found == model.end() || found->is_null()) return infos;
    if (!found->is_array() || found->size() > kMaxOutputs) {
        return malformed_oip(source, fmt::format("the model's metadata has no list of {}", key));
    }
    for (const auto& entry : *found) {
        MODELSEAL_TRY_ASSIGN(auto info, read_info(entry, source, -1));
        for (const auto& other : infos) {
            if (other.name == info.name) {
                return malformed_oip(source,
                                     fmt::format("two {} are called '{}'", key, util::printable(info.name)));
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
    if (!found->is_number_unsigned()) return malformed_oip(source, "an output has a broken binary_data_size");
    return std::optional<std::size_t>(found->get<std::size_t>());
}

Result<OutputTensor> read_binary(const TensorInfo& info, std::string_view bytes, const std::string& source) {
    OutputTensor tensor;
    tensor.kind = kind_of(info.datatype);
    if (tensor.kind == NumberKind::other) return tensor;
    const auto each = element_bytes(info.datatype);
    std::size_t elements = 0;
    if (!elements_of(info.shape, formats::kMaxJsonValues * 16, elements) || bytes.size() != elements * each) {
        return malformed_oip(source, fmt::format("output '{}' of shape {} and type {} comes in {} bytes",
                                                 util::printable(info.name), shown(info.shape),
                                                 util::printable(info.datatype), bytes.size()));
    }
    if (!decode(info.datatype, bytes, tensor)) {
        return malformed_oip(source,
                             fmt::format("output '{}' has numbers beyond 63 bits", util::printable(info.name)));
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
        return malformed_oip(source, fmt::format("output '{}' comes without data", util::printable(info.name)));
    }
    MODELSEAL_TRY_ASSIGN(tensor, from_lists(*data, tensor.kind, source));
    const auto numbers = tensor.values.size() + tensor.integers.size();
    std::size_t elements = 0;
    if (!elements_of(info.shape, numbers, elements) || elements != numbers) {
        return malformed_oip(source, fmt::format("output '{}' of shape {} comes with {} numbers",
                                                 util::printable(info.name), shown(info.shape), numbers));
    }
    return tensor;
}

Result<std::string_view> split(std::string_view& body, std::string_view header, const std::string& source) {
    if (header.empty()) return std::string_view{};
    std::size_t length = 0;
    const auto [stop, code] = std::from_chars(header.data(), header.data() + header.size(), length);
    if (code != std::errc() || stop != header.data() + header.size() || length > body.size()) {
        return malformed_oip(source, fmt::format("the answer of {} bytes claims a JSON part of '{}'",
                                                 body.size(), util::printable(header.substr(0, 40))));
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
    if (!document.is_object()) return malformed_oip(source, "the model's metadata is no JSON object");
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
    request.input.datatype == "FP64" ? append_doubles(text, request.values)
                                     : append_floats(text, request.values);
    return text;
}

Result<std::vector<OutputTensor>> parse_oip_answer(std::string_view body, std::string_view header,
                                                   const std::string& source) {
    MODELSEAL_TRY_ASSIGN(auto tail, split(body, header, source));
    MODELSEAL_TRY_ASSIGN(const auto document, parse_answer(body, source, "the answer"));
    const auto* outputs = document.is_object() ? member(document, "outputs", &json::is_array) : nullptr;
    if (outputs == nullptr || outputs->size() > kMaxOutputs) {
        return malformed_oip(source, fmt::format("the answer has no outputs: '{}'", complaint_of(body)));
    }
    std::vector<OutputTensor> tensors;
    for (const auto& entry : *outputs) {
        MODELSEAL_TRY_ASSIGN(const auto info, read_info(entry, source, 0));
        MODELSEAL_TRY_ASSIGN(const auto bytes, tail_bytes(entry, source));
        if (bytes && *bytes > tail.size()) {
            return malformed_oip(source, fmt::format("output '{}' claims {} bytes, {} are left",
                                                     util::printable(info.name), *bytes, tail.size()));
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
        return malformed_oip(source, fmt::format("{} bytes behind the last output", tail.size()));
    return tensors;
}

}  // namespace modelseal::oracle
