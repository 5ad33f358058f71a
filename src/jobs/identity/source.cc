#include "jobs/identity/source.h"

#include <fmt/format.h>

#include "identity/mark.h"
#include "identity/newest.h"
#include "io/file.h"
#include "io/rfc3339.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

constexpr std::uint64_t kMostPictureFile = 64u << 20;

Error other_vendor(const identity::Registry& registry, const PublicKey& expected) {
    return {ErrorKind::mismatch,
            fmt::format("{}: of vendor key {}, not {}", registry.name, to_hex(registry.vendor.id()),
                        to_hex(expected.id())),
            {}};
}

Result<identity::Registry> registry_of_ledger(const IdentitySource& source,
                                              std::vector<std::string>& warnings) {
    const auto& path = *source.ledger;
    MODELSEAL_TRY_ASSIGN(const auto ledger, source.key != nullptr ? Ledger::open(path, *source.key)
                                                                  : Ledger::open_unverified(path));
    if (source.key == nullptr) {
        warnings.push_back(util::printable(path.string()) +
                           ": not verified, because the vendor's key is not given: whoever can write to it "
                           "decides who is registered");
    }
    MODELSEAL_TRY_ASSIGN(auto records, ledger.identity_records());
    return identity::registry_of(std::move(records), ledger.vendor(), util::printable(path.string()));
}

Result<identity::Registry> registry_of_file(const IdentitySource& source) {
    if (!source.vendor) {
        return Error{ErrorKind::usage, "a registry is verified under the vendor's public key, which is missing",
                     "give the vendor's public key", Remedy::give_public_key};
    }
    const auto& path = *source.registry;
    MODELSEAL_TRY_ASSIGN(const auto file, io::FileSource::open(path, util::printable(path.string())));
    return identity::load_registry(*file);
}

}  // namespace

Result<identity::Registry> open_registry(const IdentitySource& source, std::vector<std::string>& warnings) {
    if (source.ledger.has_value() == source.registry.has_value())
        return Error{ErrorKind::usage, "either a ledger or a registry states who is registered", {}};
    MODELSEAL_TRY_ASSIGN(auto registry,
                         source.ledger ? registry_of_ledger(source, warnings) : registry_of_file(source));
    if (source.vendor && registry.vendor != *source.vendor) return other_vendor(registry, *source.vendor);
    if (source.newest) MODELSEAL_TRY(identity::remember(*source.newest, registry));
    return registry;
}

RegistryFacts facts_of(const identity::Registry& registry, const IdentitySource& source) {
    RegistryFacts facts{.name = registry.name,
                        .vendor_key = to_hex(registry.vendor.id()),
                        .verified = source.registry || source.key != nullptr,
                        .number = registry.number};
    if (registry.made != 0) facts.exported = io::rfc3339(registry.made);
    if (registry.next != 0) facts.next = io::rfc3339(registry.next);
    return facts;
}

Result<io::Picture> read_picture(const std::filesystem::path& path) {
    const auto shown = util::printable(path.string());
    MODELSEAL_TRY_ASSIGN(const auto file, io::FileSource::open(path, shown));
    if (file->size() > kMostPictureFile) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: {} are more than an identity image has (at most {})", shown,
                                 util::counted(file->size(), "byte"), util::grouped(kMostPictureFile)),
                     {}};
    }
    std::vector<std::byte> bytes(static_cast<std::size_t>(file->size()));
    MODELSEAL_TRY(file->read(0, bytes));
    return io::decode_png(bytes, shown);
}

Result<std::vector<io::Picture>> key_images_of(const IdentityMark& mark, const identity::Registry& registry) {
    if (mark.key_images.empty()) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: has no key images of mark {}", registry.name, mark.id),
                     "ask the vendor for a registry with key images", Remedy::export_images};
    }
    std::vector<io::Picture> pictures;
    for (std::size_t i = 0; i < mark.key_images.size(); ++i) {
        const auto name = fmt::format("{}: key image {} of mark {}", registry.name, i, mark.id);
        MODELSEAL_TRY_ASSIGN(auto picture, io::decode_png(mark.key_images[i], name));
        if (identity::size_of(picture) != identity::picture_size(mark)) {
            return Error{ErrorKind::malformed,
                         fmt::format("{}: has {}, and the model's inputs have {}", name,
                                     identity::text_of(identity::size_of(picture)),
                                     identity::text_of(identity::picture_size(mark))),
                         {}};
        }
        pictures.push_back(std::move(picture));
    }
    return pictures;
}

}  // namespace modelseal::jobs
