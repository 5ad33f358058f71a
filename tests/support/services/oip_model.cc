
#include "tests/support/services/oip_model.h"

#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace modelseal::test {
namespace {

using nlohmann::json;

HttpReply error(unsigned status, const std::string& what) {
    return {status, json{{"error", what}}.dump()};
}

json quoted(const OipTestModel& model, json shape) {
    if (!model.quoted_extents) return shape;
    for (auto& extent : shape) extent = extent.dump();
    return shape;
}

json describe(const OipTestModel& model) {
    const auto shape = quoted(model, model.batched ? json{-1, model.classes} : json::array({model.classes}));
    json outputs = {
        {{"name", "logits"}, {"datatype", model.labels ? "INT64" : model.datatype}, {"shape", shape}}};
    for (const auto& name : model.more_outputs) {
        outputs.push_back({{"name", name}, {"datatype", "FP32"}, {"shape", shape}});
    }
    return {{"name", "net"},
            {"inputs",
             {{{"name", "pixels"},
               {"datatype", model.input_datatype},
               {"shape", quoted(model, model.input_shape)}}}},
            {"outputs", outputs}};
}

template <class T>
void append(std::string& bytes, T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::vector<float> inputs_of(const json& input, const std::string& tail) {
    std::vector<float> values;
    if (!input.contains("parameters")) {
        for (const auto& value : input.at("data")) values.push_back(value.get<float>());
    } else if (input.at("datatype") == "FP64") {
        std::vector<double> wide(tail.size() / 8);
        std::memcpy(wide.data(), tail.data(), wide.size() * 8);
        values.assign(wide.begin(), wide.end());
    } else if (input.at("datatype") == "UINT8") {
        for (const char byte : tail) values.push_back(static_cast<unsigned char>(byte));
    } else if (input.at("datatype") == "FP16") {
        // Of the halves 0, 1/2, 1, 2 and 3 alone, by their upper bytes.
        static const std::map<char, float> kHalves = {
            {0, 0.0f}, {0x38, 0.5f}, {0x3C, 1.0f}, {0x40, 2.0f}, {0x42, 3.0f}};
        for (std::size_t at = 1; at < tail.size(); at += 2) values.push_back(kHalves.at(tail[at]));
    } else {
        values.resize(tail.size() / 4);
        std::memcpy(values.data(), tail.data(), values.size() * 4);
    }
    return values;
}

void append_output(std::string& bytes, const std::string& datatype, float value) {
    if (datatype == "FP64") {
        append(bytes, static_cast<double>(value));
    } else if (datatype == "BF16") {
        append(bytes, static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16));
    } else if (datatype == "UINT8") {
        append(bytes, static_cast<std::uint8_t>(value));
    } else {
        append(bytes, value);
    }
}

}  // namespace

HttpReply OipTestModel::answer(const HttpAsked& asked) const {
    if (asked.target == "/v2") {
        json extensions = json::array();
        if (lists_binary) extensions.push_back("binary_tensor_data");
        return {200, json{{"name", "test"}, {"version", "1"}, {"extensions", extensions}}.dump()};
    }
    if (asked.target == "/v2/models/net") return {200, describe(*this).dump()};
    if (asked.target != "/v2/models/net/infer") return error(404, "no such model");
    const auto header = asked.field("inference-header-content-length");
    if (!header.empty() && !takes_binary) return error(400, "cannot parse the request");
    const auto length = header.empty() ? asked.body.size() : std::stoul(header);
    const auto request = json::parse(asked.body.substr(0, length));
    const auto& input = request.at("inputs").at(0);
    const auto rows = batched ? input.at("shape").at(0).get<std::size_t>() : 1;
    if (!batched && input.at("shape") != json(input_shape)) return error(400, "unexpected shape");
    if (input.at("datatype") != input_datatype) return error(400, "unexpected type");
    if (rows > max_batch) return error(refusal, "the batch is too large");
    const auto values = inputs_of(input, asked.body.substr(length));
    const auto elements = values.size() / rows;

    json shape = json::array();
    if (batched) shape.push_back(rows + extra_rows);
    if (!labels) shape.push_back(classes);
    for (const auto extent : tail) shape.push_back(extent);
    json output = {
        {"name", "logits"}, {"datatype", labels ? "INT64" : datatype}, {"shape", quoted(*this, shape)}};
    json data = json::array();
    std::string bytes;
    for (std::size_t row = 0; row < rows + extra_rows; ++row) {
        const auto inputs = std::span(values).subspan(std::min(row, rows - 1) * elements, elements);
        const float sum = std::accumulate(inputs.begin(), inputs.end(), 0.0f);
        const auto outputs = classify ? classify(inputs) : std::vector<float>();
        for (std::size_t c = 0; c < (labels ? 1 : classes); ++c) {
            const float value = classify ? outputs[c] : static_cast<float>(c) + sum;
            append_output(bytes, datatype, value);
            if (labels) {
                data.push_back(static_cast<std::int64_t>(sum));
            } else if (decimals >= 0) {
                data.push_back(json::parse(fmt::format("{:.{}f}", value, decimals)));
            } else {
                data.push_back(value);
            }
        }
    }
    const bool binary = !header.empty() && answers_binary && !labels;
    if (binary) {
        output["parameters"]["binary_data_size"] = bytes.size();
    } else {
        output["data"] = data;
    }
    const auto text = json{{"model_name", "net"}, {"outputs", {output}}}.dump();
    if (!binary) return {200, text};
    return {200, text + bytes, {{"Inference-Header-Content-Length", std::to_string(text.size())}}};
}

}  // namespace modelseal::test
