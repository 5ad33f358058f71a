// Text, as far as it is cheap: comparing and joining.
#include "torch/onnx_text.h"

namespace modelseal::onnx {

std::vector<std::string> stretched_texts(const Value& value, at::IntArrayRef shape) {
    require(value.kind == Value::Kind::text, "an input is no text");
    const auto places = at::arange(static_cast<std::int64_t>(value.text.size()), at::TensorOptions(at::kLong))
                            .reshape(value.text_shape)
                            .expand(shape)
                            .contiguous();
    std::vector<std::string> texts;
    for (std::int64_t i = 0; i < places.numel(); ++i) {
        texts.push_back(value.text.at(static_cast<std::size_t>(places.data_ptr<std::int64_t>()[i])));
    }
    return texts;
}

void equal_texts(Call& call) {
    const auto shape = at::infer_size(call.value(0).text_shape, call.value(1).text_shape);
    call.check_size(shape);
    const auto a = stretched_texts(call.value(0), shape);
    const auto b = stretched_texts(call.value(1), shape);
    auto result = at::empty(shape, at::TensorOptions(at::kBool));
    for (std::size_t i = 0; i < a.size(); ++i) result.data_ptr<bool>()[i] = a[i] == b[i];
    call.give(result);
}

namespace {

void concat_text(Call& call) {
    const auto shape = at::infer_size(call.value(0).text_shape, call.value(1).text_shape);
    call.check_size(shape);
    auto texts = stretched_texts(call.value(0), shape);
    const auto more = stretched_texts(call.value(1), shape);
    for (std::size_t i = 0; i < texts.size(); ++i) texts[i] += more[i];
    call.give(Value::texts(std::move(texts), shape));
}

constexpr Operator kTextOperators[] = {{"", "StringConcat", concat_text}};

}  // namespace

std::span<const Operator> text_operators() {
    return kTextOperators;
}

}  // namespace modelseal::onnx
