#include <algorithm>
#include <span>

#include "torch/script_check.h"

namespace modelseal::libtorch {
namespace {

// The language itself: values, containers, control flow, attributes. Calls go to methods and functions of the
// file, each of which is held against these lists as well.
constexpr std::string_view kPrim[] = {"Constant",
                                      "GetAttr",
                                      "SetAttr",
                                      "CallMethod",
                                      "CallFunction",
                                      "If",
                                      "Loop",
                                      "ListConstruct",
                                      "ListUnpack",
                                      "TupleConstruct",
                                      "TupleUnpack",
                                      "TupleIndex",
                                      "TupleSlice",
                                      "DictConstruct",
                                      "CreateObject",
                                      "unchecked_cast",
                                      "unchecked_unwrap_optional",
                                      "Uninitialized",
                                      "RaiseException",
                                      "Print",
                                      "isinstance",
                                      "NumToTensor",
                                      "ImplicitTensorToNum",
                                      "NumToTensor",
                                      "device",
                                      "dtype",
                                      "layout",
                                      "is_cuda",
                                      "is_quantized",
                                      "is_sparse",
                                      "data",
                                      "requires_grad",
                                      "itemsize",
                                      "min",
                                      "max",
                                      "abs",
                                      "rangelist",
                                      "tolist",
                                      "StringIndex",
                                      "EnumName",
                                      "EnumValue",
                                      "annotate",
                                      "type",
                                      "shape",
                                      "Enter",
                                      "Exit"};

constexpr std::string_view kAten[] = {
    // Elements.
    "abs", "absolute", "acos", "acosh", "add", "addcdiv", "addcmul", "angle", "arccos", "arcsin", "arctan",
    "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor",
    "ceil", "celu", "clamp", "clamp_max", "clamp_min", "clip", "complex", "conj", "copysign", "cos", "cosh",
    "deg2rad", "digamma", "div", "divide", "elu", "eq", "erf", "erfc", "erfinv", "exp", "exp2", "expm1",
    "floor", "floor_divide", "floordiv", "fmax", "fmin", "fmod", "frac", "ge", "gelu", "greater",
    "greater_equal", "gt", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "heaviside", "hypot", "imag",
    "isclose", "isfinite", "isinf", "isnan", "le", "leaky_relu", "lerp", "less", "less_equal", "lgamma", "log",
    "log10", "log1p", "log2", "log_sigmoid", "logaddexp", "logical_and", "logical_not", "logical_or",
    "logical_xor", "logit", "lt", "masked_fill", "max", "maximum", "min", "minimum", "mish", "mul", "multiply",
    "nan_to_num", "ne", "neg", "negative", "not_equal", "polar", "positive", "pow", "prelu", "rad2deg", "real",
    "reciprocal", "relu", "relu6", "remainder", "round", "rrelu", "rsqrt", "rsub", "selu", "sgn", "sigmoid",
    "sign", "silu", "sin", "sinc", "sinh", "softplus", "softshrink", "sqrt", "square", "sub", "subtract", "tan",
    "tanh", "threshold", "true_divide", "trunc", "where", "xlogy", "__and__", "__or__", "__xor__", "__not__",
    "__is__", "__isnot__", "__contains__", "__getitem__", "__derive_index", "__range_length",
    "__round_to_zero_floordiv", "__lshift__", "__rshift__", "__upsample", "__upsample_bilinear",
    "__upsample_nearest", "__interpolate",
    // Reductions and order.
    "all", "allclose", "amax", "amin", "aminmax", "any", "argmax", "argmin", "argsort", "bincount",
    "count_nonzero", "cummax", "cummin", "cumprod", "cumsum", "diff", "equal", "kthvalue", "logcumsumexp",
    "logsumexp", "mean", "median", "mode", "nanmean", "nansum", "norm", "frobenius_norm", "linalg_norm",
    "linalg_vector_norm", "linalg_matrix_norm", "prod", "quantile", "sort", "std", "std_mean", "sum", "topk",
    "unique_dim", "var", "var_mean", "histc", "bucketize",
    // Shapes and places.
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool2d", "adaptive_max_pool3d", "affine_grid_generator", "arange", "as_tensor", "atleast_1d",
    "atleast_2d", "atleast_3d", "block_diag", "broadcast_tensors", "broadcast_to", "cat", "channel_shuffle",
    "chunk", "clone", "column_stack", "concat", "constant_pad_nd", "contiguous", "detach", "diag", "diag_embed",
    "diagonal", "dim", "dstack", "empty_like", "expand", "expand_as", "eye", "fill", "flatten", "flip",
    "fliplr", "flipud", "full", "full_like", "gather", "get_device", "grid_sampler", "hstack", "im2col",
    "col2im", "index", "index_add", "index_copy", "index_fill", "index_put", "index_select", "is_complex",
    "is_contiguous", "is_floating_point", "is_nonzero", "item", "linspace", "logspace", "masked_scatter",
    "masked_select", "matrix_diag", "meshgrid", "moveaxis", "movedim", "narrow", "new_full", "new_ones",
    "new_zeros", "nonzero", "nonzero_numpy", "numel", "one_hot", "ones", "ones_like", "pad", "permute",
    "pixel_shuffle", "pixel_unshuffle", "ravel", "reflection_pad1d", "reflection_pad2d", "reflection_pad3d",
    "repeat", "repeat_interleave", "replication_pad1d", "replication_pad2d", "replication_pad3d", "reshape",
    "reshape_as", "roll", "rot90", "scalar_tensor", "scatter", "scatter_add", "select", "size", "slice",
    "split", "split_with_sizes", "squeeze", "stack", "stride", "swapaxes", "swapdims", "t", "take",
    "take_along_dim", "tensor", "tensor_split", "tile", "to", "transpose", "tril", "triu", "tril_indices",
    "triu_indices", "type_as", "unbind", "unflatten", "unfold", "unsqueeze", "upsample_bicubic2d",
    "upsample_bilinear2d", "upsample_linear1d", "upsample_nearest1d", "upsample_nearest2d",
    "upsample_nearest3d", "upsample_trilinear3d", "view", "view_as", "view_as_complex", "view_as_real",
    "vstack", "zero", "zeros", "zeros_like", "copy", "_shape_as_tensor", "_reshape_from_tensor", "alias",
    // Layers.
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "max_pool1d", "max_pool1d_with_indices", "max_pool2d",
    "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices", "max_unpool2d", "lp_pool1d",
    "lp_pool2d", "fractional_max_pool2d", "batch_norm", "native_batch_norm", "instance_norm", "group_norm",
    "native_group_norm", "layer_norm", "native_layer_norm", "local_response_norm", "normalize", "bilinear",
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "conv_tbc",
    "convolution", "_convolution", "cosine_similarity", "dropout", "alpha_dropout", "feature_dropout",
    "feature_alpha_dropout", "embedding", "embedding_bag", "glu", "gru", "gru_cell", "linear", "lstm",
    "lstm_cell", "rnn_relu", "rnn_relu_cell", "rnn_tanh", "rnn_tanh_cell", "log_softmax", "_log_softmax",
    "softmax", "_softmax", "softmin", "pairwise_distance", "pdist", "cdist", "multi_head_attention_forward",
    "scaled_dot_product_attention", "_scaled_dot_product_attention", "_native_multi_head_attention",
    "_transformer_encoder_layer_fwd", "_thnn_fused_lstm_cell", "_thnn_fused_gru_cell", "_weight_norm",
    "_weight_norm_interface", "_pack_padded_sequence", "_pad_packed_sequence", "pad_sequence",
    // Products, transforms.
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "chain_matmul", "cross", "det", "dot", "einsum",
    "fft_fft", "fft_fft2", "fft_fftn", "fft_fftshift", "fft_hfft", "fft_ifft", "fft_ifft2", "fft_ifftn",
    "fft_ifftshift", "fft_ihfft", "fft_irfft", "fft_irfft2", "fft_irfftn", "fft_rfft", "fft_rfft2", "fft_rfftn",
    "inner", "inverse", "kron", "linalg_det", "linalg_inv", "linalg_multi_dot", "linalg_solve", "matmul",
    "matrix_power", "mm", "mv", "outer", "ger", "stft", "istft", "tensordot", "trace", "vander", "vdot",
    "hann_window", "hamming_window", "blackman_window", "bartlett_window", "kaiser_window", "trapz",
    "trapezoid",
    // Losses.
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy_loss", "huber_loss", "kl_div",
    "l1_loss", "mse_loss", "nll_loss", "nll_loss2d", "nll_loss_nd", "smooth_l1_loss", "poisson_nll_loss",
    // Numbers that are drawn, as in a network that was left in training.
    "bernoulli", "multinomial", "normal", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like",
    "randperm", "uniform",
    // Quantized tensors.
    "dequantize", "fake_quantize_per_channel_affine", "fake_quantize_per_tensor_affine", "int_repr",
    "q_per_channel_axis", "q_per_channel_scales", "q_per_channel_zero_points", "q_scale", "q_zero_point",
    "qscheme", "quantize_per_channel", "quantize_per_tensor", "quantize_per_tensor_dynamic",
    // Python's numbers, texts and containers.
    "Bool", "Complex", "Float", "FloatImplicit", "Int", "IntImplicit", "ScalarImplicit", "append", "bool",
    "chr", "clear", "count", "dict", "extend", "find", "float", "format", "get", "insert", "int", "items",
    "join", "keys", "len", "list", "lower", "ord", "pop", "percentFormat", "remove", "replace", "reverse",
    "setdefault", "sorted", "split", "startswith", "endswith", "str", "strip", "sum", "upper", "values", "warn",
    "_set_item", "__delitem__", "factorial", "gcd", "isdigit", "isalpha", "degrees", "radians", "hash",
    "is_grad_enabled", "mathremainder", "modf", "frexp", "ldexp", "_get_tracing_state", "is_scripting",
    "set_grad_enabled", "_infer_size", "autocast_to_full_precision", "autocast_to_reduced_precision", "cpu",
    "cuda", "double", "half", "bfloat16", "long", "requires_grad", "is_same_size", "is_signed", "result_type",
    "promote_types", "can_cast", "device"};

constexpr std::string_view kQuantized[] = {"add",
                                           "add_relu",
                                           "add_scalar",
                                           "batch_norm2d",
                                           "batch_norm2d_relu",
                                           "batch_norm3d",
                                           "batch_norm3d_relu",
                                           "cat",
                                           "cat_relu",
                                           "celu",
                                           "clamp",
                                           "conv1d",
                                           "conv1d_prepack",
                                           "conv1d_relu",
                                           "conv1d_unpack",
                                           "conv2d",
                                           "conv2d_prepack",
                                           "conv2d_relu",
                                           "conv2d_unpack",
                                           "conv3d",
                                           "conv3d_prepack",
                                           "conv3d_relu",
                                           "conv_transpose1d",
                                           "conv_transpose1d_prepack",
                                           "conv_transpose2d",
                                           "conv_transpose2d_prepack",
                                           "elu",
                                           "embedding_byte",
                                           "group_norm",
                                           "hardswish",
                                           "instance_norm",
                                           "layer_norm",
                                           "leaky_relu",
                                           "linear",
                                           "linear_dynamic",
                                           "linear_prepack",
                                           "linear_relu",
                                           "linear_relu_dynamic",
                                           "linear_unpack",
                                           "matmul",
                                           "max_pool2d",
                                           "mul",
                                           "mul_relu",
                                           "mul_scalar",
                                           "relu6",
                                           "sigmoid",
                                           "softmax",
                                           "threshold"};

constexpr std::string_view kPrepacked[] = {"conv2d_clamp_prepack",          "conv2d_clamp_run",
                                           "linear_clamp_prepack",          "linear_clamp_run",
                                           "unpack_prepacked_sizes_conv2d", "unpack_prepacked_sizes_linear"};

struct Namespace {
    std::string_view prefix;
    std::span<const std::string_view> names;
};
constexpr Namespace kNamespaces[] = {
    {"prim::", kPrim}, {"aten::", kAten}, {"quantized::", kQuantized}, {"prepacked::", kPrepacked}};

}  // namespace

bool is_allowed_operator(std::string_view name) {
    const auto listed = [](std::span<const std::string_view> names, std::string_view one) {
        return std::ranges::find(names, one) != names.end();
    };
    for (const auto& [prefix, names] : kNamespaces) {
        if (!name.starts_with(prefix)) continue;
        const auto own = name.substr(prefix.size());
        return listed(names, own) || (own.ends_with('_') && listed(names, own.substr(0, own.size() - 1)));
    }
    return false;
}

}  // namespace modelseal::libtorch
