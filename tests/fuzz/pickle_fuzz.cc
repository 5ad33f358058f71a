// A pickle by itself, which fuzzes opcodes deeper than through the files that wrap it: walked under small
// limits, then collected as if it were data.pkl.
#include <array>

#include "formats/pytorch/storages.h"
#include "formats/pytorch/types.h"
#include "tests/fuzz/fuzz.h"
#include "util/text.h"

namespace {

using namespace modelseal;
using namespace modelseal::formats;
using namespace modelseal::formats::pytorch;

// Every reference stays inside the pickle.
void check_references(const Pickle& pickle) {
    const auto check = [&](std::span<const PickleRef> refs) {
        for (const auto ref : refs) {
            if (ref >= pickle.size()) test::finding("a reference outside the pickle");
        }
    };
    for (PickleRef ref = 0; ref < pickle.size(); ++ref) {
        check(pickle.items(ref));
        check(pickle.pairs(ref));
        check(pickle.states(ref));
        if (pickle.pairs(ref).size() % 2 != 0) test::finding("a key without a value");
        if (pickle.is(ref, PickleKind::persistent)) check(std::array{pickle.id(ref)});
        if (pickle.is(ref, PickleKind::object)) check(std::array{pickle.callable(ref), pickle.arguments(ref)});
    }
    check(std::array{pickle.root()});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const MemorySource source("fuzz", std::as_bytes(std::span(data, size)));
    Reader reader(source);
    const auto pickle = Pickle::walk(reader, {.memory_bytes = 4u << 20, .steps = 1u << 20});
    if (!pickle.ok()) {
        if (pickle.error().kind == ErrorKind::internal) test::finding(pickle.error().message);
        return 0;
    }
    check_references(*pickle);

    pytorch::Storages storages;
    std::vector<std::string> warnings;
    pytorch::warn_about_globals(*pickle, "data.pkl", warnings);
    const auto collected =
        pytorch::collect(*pickle, {.name = "data.pkl", .folder = "data/"}, source, {}, storages, warnings);
    if (!collected.ok() && collected.error().kind == ErrorKind::internal)
        test::finding(collected.error().message);
    for (const auto& [place, storage] : storages) {
        if (storage.views.empty() && collected.ok()) test::finding("a storage without a name");
        if (!storage.views.empty() && pytorch::tensor_of(storage, 0).name.empty())
            test::finding("a tensor without a name");
    }
    for (const auto& warning : warnings) {
        if (!util::is_utf8(warning)) test::finding("a warning that cannot be shown");
    }
    return 0;
}
