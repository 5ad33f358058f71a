// Any bytes as the index of a sharded model: what comes out stays in the folder, whatever the bytes say.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "formats/reader.h"
#include "io/folder.h"
#include "model/shards.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace modelseal;
    const formats::MemorySource source("fuzz", std::as_bytes(std::span(data, size)));
    const auto index = model::read_shard_index(source, "sub/m.index.json");
    if (!index) {
        if (index.error().kind == ErrorKind::internal) std::abort();
        return 0;
    }
    if (!index->has_value()) return 0;
    for (const auto& [tensor, file] : (*index)->file) {
        const auto again = io::path_inside(file, "fuzz");
        if (!again || *again != file || !file.starts_with("sub/") || file.find("..") == 0) std::abort();
        if (("/" + file + "/").find("/../") != std::string::npos) std::abort();
    }
    return 0;
}
