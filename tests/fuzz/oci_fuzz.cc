// What registries and senders of notifications say: whatever the bytes, an Error that is their fault, or names, digests and
// paths that can be used; and an archive gives the same files in whatever parts it comes.
#include <algorithm>
#include <map>

#include "hook/oci/challenge.h"
#include "hook/oci/manifest.h"
#include "hook/oci/names.h"
#include "hook/oci/notification.h"
#include "hook/oci/tar.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace modelseal;

void try_notification(std::string_view text) {
    const auto uploads = hook::uploads_in(text);
    if (!uploads.ok()) return test::must_be_fair(uploads.error());
    for (const auto& upload : *uploads) {
        if (!hook::is_repository(upload.repository) || !hook::is_digest(upload.digest) ||
            upload.event.empty() || (!upload.tag.empty() && !hook::is_tag(upload.tag)))
            test::finding("an upload that cannot be asked for");
    }
}

void try_manifest(std::string_view text) {
    const auto manifest = hook::parse_manifest(text, "");
    if (!manifest.ok()) return test::must_be_fair(manifest.error());
    std::uint64_t sum = 0;
    for (const auto& layer : manifest->layers) {
        if (!hook::is_digest(layer.digest)) test::finding("a layer that cannot be asked for");
        sum += layer.size;
    }
    if (sum != manifest->layer_bytes) test::finding("a sum that is wrong");
    if (!std::ranges::all_of(manifest->children, hook::is_digest))
        test::finding("a child that cannot be asked for");
}

// Files of an archive that comes in parts of `step` bytes, and whether it was accepted.
std::pair<std::map<std::string, std::string>, bool> unpacked(std::span<const std::byte> bytes,
                                                             std::size_t step) {
    std::map<std::string, std::string> files;
    std::string current;
    std::uint64_t left = 0;
    hook::TarReader reader("fuzz", {.folder = [](const std::string&) { return Result<void>(); },
                                    .begin =
                                        [&](const std::string& path, std::uint64_t size) {
                                            current = path;
                                            files[current].clear();
                                            left = size;
                                            return Result<void>();
                                        },
                                    .bytes =
                                        [&](std::span<const std::byte> part) {
                                            if (part.size() > left)
                                                test::finding("more bytes than the file has");
                                            left -= part.size();
                                            files[current].append(reinterpret_cast<const char*>(part.data()),
                                                                  part.size());
                                            return Result<void>();
                                        },
                                    .end =
                                        [&] {
                                            if (left != 0) test::finding("a file that ends too early");
                                            return Result<void>();
                                        }});
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        const auto taken = reader.take(bytes.subspan(at, std::min(step, bytes.size() - at)));
        if (taken.ok()) continue;
        test::must_be_fair(taken.error());
        return {files, false};
    }
    const auto finished = reader.finish();
    if (!finished.ok()) test::must_be_fair(finished.error());
    return {files, finished.ok()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try_notification(text);
    try_manifest(text);
    static_cast<void>(hook::parse_challenge(text));
    const auto token = hook::parse_token(text);
    if (token.ok() && token->text.find_first_of("\r\n ") != std::string::npos)
        test::finding("a token with a line end");
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto whole = unpacked(bytes, std::max<std::size_t>(1, size)), parts = unpacked(bytes, 100);
    if (whole.second != parts.second || (whole.second && whole.first != parts.first))
        test::finding("an archive that depends on how it comes");
    return 0;
}
