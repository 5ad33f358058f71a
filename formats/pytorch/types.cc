
#include "formats/pytorch/types.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::formats::pytorch {
namespace {

constexpr std::size_t kMaxWarnings = 64;  // of a pickle; with more than that there is a warning anyway

const std::map<std::string_view, DType> kStorages = {
    {"DoubleStorage", DType::f64},
    {"FloatStorage", DType::f32},
    {"HalfStorage", DType::f16},
    {"BFloat16Storage", DType::bf16},
    {"LongStorage", DType::i64},
    {"IntStorage", DType::i32},
    {"ShortStorage", DType::i16},
    {"CharStorage", DType::i8},
    {"ByteStorage", DType::u8},
    {"BoolStorage", DType::boolean},
    {"ComplexHalfStorage", DType::c32},
    {"ComplexFloatStorage", DType::c64},
    {"ComplexDoubleStorage", DType::c128},
    {"QInt8Storage", DType::qint8},
    {"QUInt8Storage", DType::quint8},
    {"QInt32Storage", DType::qint32},
    {"QUInt4x2Storage", DType::quint4x2},
    {"QUInt2x4Storage", DType::quint2x4},
};

const std::map<std::string_view, DType> kDTypes = {
    {"float64", DType::f64},
    {"double", DType::f64},
    {"float32", DType::f32},
    {"float", DType::f32},
    {"float16", DType::f16},
    {"half", DType::f16},
    {"bfloat16", DType::bf16},
    {"float8_e4m3fn", DType::f8_e4m3fn},
    {"float8_e4m3fnuz", DType::f8_e4m3fnuz},
    {"float8_e5m2", DType::f8_e5m2},
    {"float8_e5m2fnuz", DType::f8_e5m2fnuz},
    {"float8_e8m0fnu", DType::f8_e8m0},
    {"int64", DType::i64},
    {"long", DType::i64},
    {"int32", DType::i32},
    {"int", DType::i32},
    {"int16", DType::i16},
    {"short", DType::i16},
    {"int8", DType::i8},
    {"uint8", DType::u8},
    {"uint16", DType::u16},
    {"uint32", DType::u32},
    {"uint64", DType::u64},
    {"bool", DType::boolean},
    {"complex32", DType::c32},
    {"chalf", DType::c32},
    {"complex64", DType::c64},
    {"cfloat", DType::c64},
    {"complex128", DType::c128},
    {"cdouble", DType::c128},
    {"qint8", DType::qint8},
    {"quint8", DType::quint8},
    {"qint32", DType::qint32},
    {"quint4x2", DType::quint4x2},
    {"quint2x4", DType::quint2x4},
    // One byte each, of bits without a meaning in PyTorch, or packed in pairs.
    {"bits1x8", DType::opaque},
    {"bits2x4", DType::opaque},
    {"bits4x2", DType::opaque},
    {"bits8", DType::opaque},
    {"float4_e2m1fn_x2", DType::opaque},
    {"int1", DType::opaque},
    {"int2", DType::opaque},
    {"int3", DType::opaque},
    {"int4", DType::opaque},
    {"int5", DType::opaque},
    {"int6", DType::opaque},
    {"int7", DType::opaque},
    {"uint1", DType::opaque},
    {"uint2", DType::opaque},
    {"uint3", DType::opaque},
    {"uint4", DType::opaque},
    {"uint5", DType::opaque},
    {"uint6", DType::opaque},
    {"uint7", DType::opaque},
};

const std::set<std::string_view> kHarmless = {
    // containers and scalars
    "collections.OrderedDict",
    "collections.Counter",
    "collections.defaultdict",
    "builtins.set",
    "builtins.frozenset",
    "builtins.bytearray",
    "builtins.complex",
    "builtins.list",
    "builtins.tuple",
    "builtins.dict",
    "builtins.int",
    "builtins.float",
    "builtins.bool",
    "builtins.str",
    "builtins.bytes",
    "builtins.object",
    "__builtin__.set",
    "__builtin__.frozenset",
    "__builtin__.bytearray",
    "__builtin__.complex",
    "__builtin__.list",
    "__builtin__.tuple",
    "__builtin__.dict",
    "__builtin__.int",
    "__builtin__.long",
    "__builtin__.float",
    "__builtin__.bool",
    "__builtin__.str",
    "__builtin__.unicode",
    "__builtin__.object",
    "_codecs.encode",
    // tensors
    "torch.Size",
    "torch.Tensor",
    "torch.device",
    "torch.nn.parameter.Parameter",
    "torch.nn.parameter.Buffer",
    "torch.nn.parameter.UninitializedParameter",
    "torch.nn.parameter.UninitializedBuffer",
    "torch._tensor._rebuild_from_type",
    "torch._tensor._rebuild_from_type_v2",
    "torch._utils._rebuild_device_tensor_from_cpu_tensor",
    "torch._utils._rebuild_device_tensor_from_numpy",
    "torch._utils._rebuild_meta_tensor_no_storage",
    "torch._utils._rebuild_nested_tensor",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch._utils._rebuild_qtensor",
    "torch._utils._rebuild_sparse_csr_tensor",
    "torch._utils._rebuild_sparse_tensor",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_wrapper_subclass",
    "torch.serialization._get_layout",
    // quantization schemes and layouts
    "torch.per_tensor_affine",
    "torch.per_channel_affine",
    "torch.per_tensor_symmetric",
    "torch.per_channel_symmetric",
    "torch.per_channel_affine_float_qparams",
    "torch.strided",
    "torch.sparse_coo",
    "torch.sparse_csr",
    "torch.sparse_csc",
    "torch.sparse_bsr",
    "torch.sparse_bsc",
    // TorchScript
    "torch.jit._pickle.build_intlist",
    "torch.jit._pickle.build_tensorlist",
    "torch.jit._pickle.build_doublelist",
    "torch.jit._pickle.build_boollist",
    "torch.jit._pickle.build_complexlist",
    "torch.jit._pickle.build_tensor_from_id",
    "torch.jit._pickle.restore_type_tag",
};

// The rest of `name` after the first of `prefixes` that matches, or nullopt.
template <std::size_t n>
std::string_view behind(std::string_view name, const std::array<std::string_view, n>& prefixes) {
    for (const auto prefix : prefixes) {
        if (name.starts_with(prefix)) return name.substr(prefix.size());
    }
    return {};
}

std::string_view storage_class(std::string_view name) {
    return behind(name, std::array<std::string_view, 3>{"torch.cuda.", "torch.storage.", "torch."});
}

// "torch.FloatTensor", "torch.cuda.sparse.HalfTensor": classes of before 0.4.
bool is_tensor_class(std::string_view name) {
    constexpr std::string_view suffix = "Tensor";
    const std::array<std::string_view, 4> prefixes = {"torch.cuda.sparse.", "torch.sparse.", "torch.cuda.",
                                                      "torch."};
    const auto rest = behind(name, prefixes);
    if (!rest.ends_with(suffix)) return false;
    return kStorages.contains(std::string(rest.substr(0, rest.size() - suffix.size())) + "Storage");
}

std::optional<DType> find(const std::map<std::string_view, DType>& table, std::string_view name) {
    const auto found = table.find(name);
    if (found == table.end()) return std::nullopt;
    return found->second;
}

}  // namespace

std::optional<DType> storage_dtype(std::string_view class_name) {
    return find(kStorages, storage_class(class_name));
}

bool is_untyped_storage(std::string_view class_name) {
    const auto name = storage_class(class_name);
    return name == "UntypedStorage" || name == "_UntypedStorage";
}

std::optional<DType> tensor_dtype(std::string_view name) {
    return find(kDTypes, behind(name, std::array<std::string_view, 1>{"torch."}));
}

bool is_harmless(std::string_view global) {
    return kHarmless.contains(global) || storage_dtype(global) || is_tensor_class(global) ||
           is_untyped_storage(global) || tensor_dtype(global) || global.starts_with("__torch__.");
}

void warn_about_globals(const Pickle& pickle, std::string_view name, std::vector<std::string>& warnings) {
    std::size_t told = 0, untold = 0;
    for (const auto& global : pickle.globals()) {
        if (is_harmless(global.name) && !global.changed) continue;
        if (told == kMaxWarnings) {
            ++untold;
            continue;
        }
        ++told;
        const auto verb = global.called ? "calls" : global.changed ? "changes" : "names";
        warnings.push_back(
            fmt::format("pickle {} {} {} (never executed here)", name, verb, util::printable(global.name)));
    }
    if (untold != 0) warnings.push_back(fmt::format("pickle {} contains {} more", name, untold));
}

}  // namespace modelseal::formats::pytorch
