// What anybody can push: lines of hooks, pointers of Git LFS, and trees. Whatever the bytes, a mistake or something that can be
// relied on: ids are ids, names stay in their folder, and a pointer names a place in the store.
#include <algorithm>
#include <array>

#include "hook/git/lfs.h"
#include "hook/git/push.h"
#include "hook/git/tree.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace modelseal;

void fuzz_push(std::string_view text) {
    const std::array<std::string, 2> pre_push = {"origin", "url"};
    for (const auto words : {std::span<const std::string>(), std::span<const std::string>(pre_push)}) {
        const auto push = hook::parse_push(words, text);
        if (!push.ok()) {
            test::must_be_fair(push.error());
            continue;
        }
        for (const auto& update : push->updates) {
            for (const auto& id : {update.old_id, update.new_id}) {
                if (!id.empty() && !hook::is_object_id(id)) test::finding("an id that is none");
            }
            if (update.ref.empty() || update.ref.find_first_of(" \n") != std::string::npos)
                test::finding("a ref that cannot be one");
        }
    }
}

void fuzz_pointer(std::string_view text) {
    const auto pointer = hook::parse_lfs_pointer(text, "fuzz");
    if (!pointer.ok()) return test::must_be_fair(pointer.error());
    if (*pointer && (*pointer)->oid.find_first_not_of("0123456789abcdef") != std::string::npos)
        test::finding("an object that is not in the store");
    if (*pointer && (*pointer)->oid.size() != 64) test::finding("a digest of another length");
}

void fuzz_tree(std::string_view text) {
    for (const std::size_t id_bytes : {20u, 32u}) {
        const auto tree = hook::parse_tree(text, id_bytes, "fuzz");
        if (!tree.ok()) {
            test::must_be_fair(tree.error());
            continue;
        }
        for (const auto& entry : *tree) {
            if (entry.name.empty() || entry.name == "." || entry.name == ".." ||
                entry.name.find('/') != std::string::npos)
                test::finding("a name that leaves its folder");
            if (hook::find_entry(*tree, entry.name) != &entry) test::finding("a name that is not found");
            if (entry.id.size() != 2 * id_bytes) test::finding("an id of another length");
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    fuzz_push(text);
    fuzz_pointer(text);
    fuzz_tree(text);
    return 0;
}
