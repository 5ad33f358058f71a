
#include "tests/support/models/pickle_text.h"

namespace modelseal::test::pkl {
namespace {

Fragment little_endian(std::uint64_t value, int bytes) {
    Fragment out;
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
    return out;
}

Fragment joined(const std::vector<Fragment>& items) {
    Fragment out;
    for (const auto& item : items) out += item;
    return out;
}

}  // namespace

Fragment pickle(const Fragment& value, int protocol) {
    return Fragment("\x80") + static_cast<char>(protocol) + value + ".";
}

Fragment str(std::string_view text) {
    return "X" + little_endian(text.size(), 4) + Fragment(text);
}

Fragment num(std::int64_t value) {
    if (value >= 0 && value < 256) return "K" + little_endian(static_cast<std::uint64_t>(value), 1);
    return "\x8a\x08" + little_endian(static_cast<std::uint64_t>(value), 8);
}

Fragment none() {
    return "N";
}

Fragment truth(bool value) {
    return value ? "\x88" : "\x89";
}

Fragment tuple(const std::vector<Fragment>& items) {
    return "(" + joined(items) + "t";
}

Fragment list(const std::vector<Fragment>& items) {
    return "](" + joined(items) + "e";
}

Fragment dict(const std::vector<std::pair<Fragment, Fragment>>& pairs) {
    Fragment out = "}(";
    for (const auto& [key, value] : pairs) out += key + value;
    return out + "u";
}

Fragment name(std::string_view module, std::string_view attribute) {
    return "c" + Fragment(module) + "\n" + Fragment(attribute) + "\n";
}

Fragment call(const Fragment& callable, const std::vector<Fragment>& arguments) {
    return callable + tuple(arguments) + "R";
}

Fragment object(const Fragment& callable, const Fragment& state) {
    return callable + ")\x81" + state + "b";
}

Fragment persistent(const Fragment& id) {
    return id + "Q";
}

Fragment numbers(const std::vector<std::int64_t>& values) {
    std::vector<Fragment> items;
    for (const auto value : values) items.push_back(num(value));
    return tuple(items);
}

Fragment storage(std::string_view storage_class, std::string_view key, std::int64_t elements) {
    return persistent(
        tuple({str("storage"), name("torch", storage_class), str(key), str("cpu"), num(elements)}));
}

std::vector<std::int64_t> row_major(const std::vector<std::int64_t>& shape) {
    std::vector<std::int64_t> strides(shape.size(), 1);
    for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
    return strides;
}

Fragment tensor(const Fragment& storage, const View& view) {
    const auto& strides = view.strides.empty() ? row_major(view.shape) : view.strides;
    return call(name("torch._utils", "_rebuild_tensor_v2"),
                {storage, num(view.offset), numbers(view.shape), numbers(strides), truth(false),
                 call(name("collections", "OrderedDict"), {})});
}

Fragment floats(std::string_view key, const std::vector<std::int64_t>& shape) {
    std::int64_t elements = 1;
    for (const auto extent : shape) elements *= extent;
    return tensor(storage("FloatStorage", key, elements), {.shape = shape});
}

Fragment untyped(std::int64_t bytes) {
    return persistent(
        tuple({str("storage"), name("torch.storage", "UntypedStorage"), str("0"), str("cpu"), num(bytes)}));
}

Fragment tensor_v3(std::string_view dtype, const std::vector<std::int64_t>& shape, std::int64_t bytes) {
    return call(name("torch._utils", "_rebuild_tensor_v3"),
                {untyped(bytes), num(0), numbers(shape), numbers(row_major(shape)), truth(false),
                 call(name("collections", "OrderedDict"), {}), name("torch", dtype)});
}

}  // namespace modelseal::test::pkl
