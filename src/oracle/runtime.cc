#include <fmt/format.h>

#include "oracle/network.h"
#include "util/text.h"

namespace modelseal::oracle {

std::string Runtime::name() const {
    std::string name;
    const auto add = [&](const std::string& part) { name += (name.empty() ? "" : ", ") + part; };
    if (!device.empty()) add(util::printable(device));
    if (threads > 0) add(fmt::format("{} thread{}", threads, threads == 1 ? "" : "s"));
    if (batch > 0) add(fmt::format("batch {}", batch));
    if (channels_last) add("channels last");
    if (plain_kernels) add("plain kernels");
    if (half) add("half precision");
    return name.empty() ? "as opened" : name;
}

}  // namespace modelseal::oracle
