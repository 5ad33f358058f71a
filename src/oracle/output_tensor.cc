#include "oracle/output_tensor.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "model/values.h"
#include "util/checked.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

using nlohmann::json;

bool is_signed_integer(const json& value) {
    return value.is_number_integer() &&
           (!value.is_number_unsigned() ||
            value.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max());
}

struct Lists {
    std::vector<std::int64_t> shape;
    std::vector<const json*> leaves;
    bool regular = true;

    // Depth first; the first path decides the shape that the others must have.
    void walk(const json& value, std::size_t depth, bool first) {
        if (!value.is_array()) {
            regular = regular && depth == shape.size();
            leaves.push_back(&value);
            return;
        }
        const auto extent = static_cast<std::int64_t>(value.size());
        if (first && depth == shape.size() && depth < kMaxRank) shape.push_back(extent);
        if (depth >= shape.size() || shape[depth] != extent) {
            regular = false;
            return;
        }
        for (std::size_t i = 0; i < value.size() && regular; ++i) walk(value[i], depth + 1, first && i == 0);
    }
};

// The rows of `tensor`: (n, C), also with extents of 1 anywhere after the first.
Result<std::size_t> classes_of(const OutputTensor& tensor, std::size_t rows, const std::string& source) {
    const auto name = tensor.name.empty() ? std::string("the output")
                                          : fmt::format("output '{}'", util::printable(tensor.name));
    if (tensor.shape.empty() || tensor.shape[0] != static_cast<std::int64_t>(rows)) {
        return util::malformed(source, fmt::format("{} has the shape {} for {}", name, shown(tensor.shape),
                                                   util::counted(rows, "input")));
    }
    std::size_t classes = 1;
    for (std::size_t i = 1; i < tensor.shape.size(); ++i) {
        if (tensor.shape[i] == 1) continue;
        if (classes != 1 || tensor.shape[i] == 0) {
            return Error{ErrorKind::unsupported,
                         fmt::format("{}: {} has the shape {}, not one row of classes per input", source, name,
                                     shown(tensor.shape)),
                         "only classifiers are supported"};
        }
        classes = static_cast<std::size_t>(tensor.shape[i]);
    }
    return classes;
}

std::string names_of(const std::vector<OutputTensor>& tensors) {
    std::vector<std::string> names;
    for (const auto& tensor : tensors) names.push_back(fmt::format("'{}'", util::printable(tensor.name)));
    return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

bool elements_of(std::span<const std::int64_t> shape, std::size_t cap, std::size_t& elements) {
    elements = 1;
    for (const auto extent : shape) {
        if (extent < 0) return false;
        const auto size = static_cast<std::size_t>(extent);
        if (size != 0 && elements > cap / size) return false;
        elements *= size;
    }
    return elements <= cap;
}

std::string shown(std::span<const std::int64_t> shape) {
    return fmt::format("[{}]", fmt::join(shape, ", "));
}

Result<OutputTensor> from_lists(const json& lists, NumberKind kind, const std::string& source) {
    Lists found;
    found.walk(lists, 0, true);
    if (!found.regular || !lists.is_array()) {
        return util::malformed(source, "the answer's lists have rows of different lengths");
    }
    const bool whole = std::all_of(found.leaves.begin(), found.leaves.end(),
                                   [](const json* leaf) { return is_signed_integer(*leaf); });
    OutputTensor tensor;
    tensor.shape = std::move(found.shape);
    if (kind == NumberKind::other) {
        const bool one_a_row =
            !tensor.shape.empty() && found.leaves.size() == static_cast<std::size_t>(tensor.shape[0]);
        kind = whole && one_a_row ? NumberKind::integer : NumberKind::floating;
    }
    tensor.kind = kind;
    for (const json* leaf : found.leaves) {
        if (kind == NumberKind::integer && is_signed_integer(*leaf)) {
            tensor.integers.push_back(leaf->get<std::int64_t>());
        } else if (kind == NumberKind::floating && (leaf->is_number() || leaf->is_null())) {
            tensor.values.push_back(leaf->is_null() ? std::numeric_limits<float>::quiet_NaN()
                                                    : util::to_float(leaf->get<double>()));
        } else {
            return util::malformed(source,
                                   fmt::format("the answer has '{}' instead of a number",
                                               util::printable(leaf->dump(-1, ' ', true).substr(0, 40))));
        }
    }
    return tensor;
}

Result<OutputTensor> pick(std::vector<OutputTensor> tensors, const std::string& wanted,
                          const std::string& source) {
    if (!wanted.empty()) {
        for (auto& tensor : tensors) {
            if (tensor.name == wanted) return std::move(tensor);
        }
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: has no output '{}'; it has {}", source, util::printable(wanted),
                                 tensors.empty() ? "none" : names_of(tensors)),
                     {}};
    }
    for (const auto kind : {NumberKind::floating, NumberKind::integer}) {
        std::vector<OutputTensor*> found;
        for (auto& tensor : tensors) {
            if (tensor.kind == kind) found.push_back(&tensor);
        }
        if (found.size() == 1) return std::move(*found[0]);
        if (found.size() > 1) {
            return Error{ErrorKind::unsupported,
                         fmt::format("{}: has several outputs: {}", source, names_of(tensors)),
                         "choose one of the outputs"};
        }
    }
    return Error{ErrorKind::unsupported, fmt::format("{}: the answers have no numbers", source), {}};
}

Result<Answers> to_answers(std::vector<OutputTensor> tensors, const std::string& wanted, std::size_t rows,
                           const std::string& source) {
    MODELSEAL_TRY_ASSIGN(auto tensor, pick(std::move(tensors), wanted, source));
    MODELSEAL_TRY_ASSIGN(const auto classes, classes_of(tensor, rows, source));
    const auto numbers = tensor.kind == NumberKind::floating ? tensor.values.size() : tensor.integers.size();
    if (tensor.kind == NumberKind::other || numbers != rows * classes) {
        return Error{
            ErrorKind::unsupported,
            fmt::format("{}: output '{}' does not contain numbers", source, util::printable(tensor.name)),
            {}};
    }
    Answers answers;
    answers.count = rows;
    if (tensor.kind == NumberKind::integer && classes == 1) {
        answers.labels = std::move(tensor.integers);
        return answers;
    }
    if (classes < 2) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: answers with one number per input, not one per class", source),
                     "only classifiers are supported"};
    }
    answers.classes = classes;
    if (tensor.kind == NumberKind::integer) {
        answers.values.assign(tensor.integers.begin(), tensor.integers.end());
        answers.rounding = 0.5;
        return answers;
    }
    answers.values = std::move(tensor.values);
    answers.significand = tensor.significand;
    return answers;
}

namespace {

static_assert(std::endian::native == std::endian::little, "the protocols' byte order is this machine's");

template <class T, class Convert>
bool each(std::string_view bytes, Convert&& convert) {
    for (std::size_t at = 0; bytes.size() - at >= sizeof(T); at += sizeof(T)) {
        T value;
        std::memcpy(&value, bytes.data() + at, sizeof(T));
        if (!convert(value)) return false;
    }
    return true;
}

template <class T>
bool integers(std::string_view bytes, OutputTensor& tensor) {
    return each<T>(bytes, [&](T value) {
        if constexpr (std::is_same_v<T, std::uint64_t>) {
            if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return false;
        }
        tensor.integers.push_back(static_cast<std::int64_t>(value));
        return true;
    });
}

template <class T, class Convert>
bool floats(std::string_view bytes, OutputTensor& tensor, Convert&& convert) {
    return each<T>(bytes, [&](T value) {
        tensor.values.push_back(convert(value));
        return true;
    });
}

bool halves(DType dtype, std::string_view bytes, OutputTensor& tensor) {
    std::vector<double> values(bytes.size() / 2);
    model::decode_values(dtype, std::as_bytes(std::span(bytes)), values);
    for (const double value : values) tensor.values.push_back(static_cast<float>(value));
    return true;
}

}  // namespace

std::size_t element_bytes(std::string_view datatype) {
    if (datatype == "BOOL" || datatype == "INT8" || datatype == "UINT8") return 1;
    if (datatype == "FP16" || datatype == "BF16" || datatype == "INT16" || datatype == "UINT16") return 2;
    if (datatype == "FP32" || datatype == "INT32" || datatype == "UINT32") return 4;
    if (datatype == "FP64" || datatype == "INT64" || datatype == "UINT64") return 8;
    return 0;
}

bool decode(std::string_view datatype, std::string_view bytes, OutputTensor& tensor) {
    if (datatype == "FP32") return floats<float>(bytes, tensor, [](float value) { return value; });
    if (datatype == "FP64") return floats<double>(bytes, tensor, util::to_float);
    if (datatype == "FP16") return halves(DType::f16, bytes, tensor);
    if (datatype == "BF16") return halves(DType::bf16, bytes, tensor);
    if (datatype == "INT8") return integers<std::int8_t>(bytes, tensor);
    if (datatype == "INT16") return integers<std::int16_t>(bytes, tensor);
    if (datatype == "INT32") return integers<std::int32_t>(bytes, tensor);
    if (datatype == "INT64") return integers<std::int64_t>(bytes, tensor);
    if (datatype == "UINT8") return integers<std::uint8_t>(bytes, tensor);
    if (datatype == "UINT16") return integers<std::uint16_t>(bytes, tensor);
    if (datatype == "UINT32") return integers<std::uint32_t>(bytes, tensor);
    if (datatype == "UINT64") return integers<std::uint64_t>(bytes, tensor);
    return false;
}

unsigned significand_bits(std::string_view datatype) {
    if (datatype == "FP16") return kHalfBits;
    if (datatype == "BF16") return kBfloat16Bits;
    return kFloat32Bits;
}

}  // namespace modelseal::oracle
