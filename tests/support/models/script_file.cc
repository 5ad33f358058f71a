
#include "tests/support/models/script_file.h"

#include <cmath>
#include <span>

#include "tests/support/models/torch_zip.h"

namespace modelseal::test {
namespace {

std::vector<float> waves(std::size_t count, float scale) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = scale * std::sin(1.7f * static_cast<float>(i) + 0.3f);
    return values;
}

}  // namespace

Bytes ScriptFile::build() const {
    using namespace pkl;
    TorchZip file{.root = "net/", .object = {}, .storages = {}, .others = {}};
    std::string names, types;
    std::vector<std::pair<Fragment, Fragment>> state{{str("training"), truth(false)}};
    for (const auto& weight : weights) {
        const auto key = std::to_string(file.storages.size());
        const bool first = file.storages.empty();
        names += "\"" + weight.name + "\", ";
        types += "  " + weight.name + " : Tensor\n";
        const auto elements = static_cast<std::int64_t>(weight.values.size());
        state.emplace_back(str(weight.name),
                           tensor(storage("FloatStorage", key, elements),
                                  {0, weight.shape, first ? strides : std::vector<std::int64_t>{}}));
        const auto raw = std::as_bytes(std::span(weight.values));
        file.storages.emplace_back(key, Bytes(raw.begin(), raw.end()));
    }
    std::string code = "class Net(Module):\n  __parameters__ = [" + names +
                       "]\n  __buffers__ = []\n  training : bool\n" + types +
                       "  def forward(self: __torch__.Net,\n    " + arguments + ") -> " + returns + ":\n";
    for (const auto& line : body) code += "    " + line + "\n";
    file.object = pickle(object(name("__torch__", "Net"), dict(state)));
    file.others.push_back({.name = "code/__torch__.py", .data = bytes_of(code + more)});
    file.others.push_back({.name = "constants.pkl", .data = bytes_of(pickle(tuple({})))});
    file.others.push_back({.name = "version", .data = bytes_of("3\n")});
    return file.build();
}

ScriptFile small_network() {
    return {.weights = {{"w", {4, 2, 3, 3}, waves(72, 0.5f)}, {"v", {3, 100}, waves(300, 0.3f)}},
            .body = {"_0 = torch.conv2d(x, self.w, None, [1, 1], [1, 1], [1, 1], 1)",
                     "_1 = torch.flatten(torch.tanh(_0), 1, -1)", "return torch.matmul(_1, torch.t(self.v))"},
            .more = {},
            .strides = {}};
}

}  // namespace modelseal::test
