// Pickles put together from fragments, each of which pushes one value: pickle(dict({{str("w"), tensor(..)}})).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace modelseal::test::pkl {

using Fragment = std::string;

Fragment pickle(const Fragment& value, int protocol = 2);  // PROTO, the value, STOP
Fragment str(std::string_view text);
Fragment num(std::int64_t value);
Fragment none();
Fragment truth(bool value);
Fragment tuple(const std::vector<Fragment>& items);
Fragment list(const std::vector<Fragment>& items);
Fragment dict(const std::vector<std::pair<Fragment, Fragment>>& pairs);
Fragment name(std::string_view module, std::string_view attribute);  // GLOBAL
Fragment call(const Fragment& callable, const std::vector<Fragment>& arguments);
Fragment object(const Fragment& callable, const Fragment& state);  // NEWOBJ without arguments, BUILD
Fragment persistent(const Fragment& id);
Fragment numbers(const std::vector<std::int64_t>& values);  // a tuple

// ('storage', torch.CLASS, KEY, 'cpu', elements) as a persistent id.
Fragment storage(std::string_view storage_class, std::string_view key, std::int64_t elements);

struct View {
    std::int64_t offset = 0;
    std::vector<std::int64_t> shape;
    std::vector<std::int64_t> strides;  // empty: row-major
};
// torch._utils._rebuild_tensor_v2 over `storage`.
Fragment tensor(const Fragment& storage, const View& view);
// A FloatStorage of its own that the tensor covers.
Fragment floats(std::string_view key, const std::vector<std::int64_t>& shape);
// An UntypedStorage "0" of so many bytes, and torch._utils._rebuild_tensor_v3 over it.
Fragment untyped(std::int64_t bytes);
Fragment tensor_v3(std::string_view dtype, const std::vector<std::int64_t>& shape, std::int64_t bytes);
std::vector<std::int64_t> row_major(const std::vector<std::int64_t>& shape);

}  // namespace modelseal::test::pkl
