#include "identity/newest.h"

#include <fmt/format.h>

#include "formats/json.h"
#include "formats/reader.h"
#include "io/file.h"
#include "util/encodings.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::identity {
namespace {

constexpr std::string_view kNewestSchema = "modelseal-newest/1";
constexpr std::uint64_t kMostNewest = 1u << 20;
constexpr std::uint32_t kNewestDepth = 4;

std::string hex_member(const nlohmann::json& entry, const char* key) {
    const auto found = entry.find(key);
    if (found == entry.end() || !found->is_string()) return {};
    const auto& text = found->get_ref<const std::string&>();
    return util::from_hex(text) ? text : std::string();
}

}  // namespace

Result<Newest> decode_newest(const std::string& text, const std::string& name) {
    const formats::MemorySource source(name, std::as_bytes(std::span(text)));
    MODELSEAL_TRY_ASSIGN(const auto json,
                         formats::parse_json(source, 0, text, "list of numbers", kNewestDepth));
    const auto broken = [&] {
        return util::malformed(
            name, "not a list of the newest numbers of ledgers (" + std::string(kNewestSchema) + ")");
    };
    if (!json.is_object() || json.value("schema", nlohmann::json()) != kNewestSchema) return broken();
    const auto ledgers = json.find("ledgers");
    if (ledgers == json.end() || !ledgers->is_array()) return broken();
    Newest newest;
    for (const auto& entry : *ledgers) {
        if (!entry.is_object()) return broken();
        const auto vendor = hex_member(entry, "vendor"), ledger = hex_member(entry, "ledger");
        const auto number = entry.find("number");
        if (vendor.empty() || ledger.empty() || number == entry.end() || !number->is_number_unsigned())
            return broken();
        if (!newest.emplace(std::pair(vendor, ledger), number->get<std::uint64_t>()).second) return broken();
    }
    return newest;
}

std::string encode_newest(const Newest& newest) {
    nlohmann::ordered_json json = {{"schema", kNewestSchema}, {"ledgers", nlohmann::ordered_json::array()}};
    for (const auto& [ledger, number] : newest) {
        json["ledgers"].push_back({{"vendor", ledger.first}, {"ledger", ledger.second}, {"number", number}});
    }
    return json.dump(2) + "\n";
}

Result<void> remember(const std::filesystem::path& file, const Registry& registry) {
    if (!registry.number) {
        return Error{ErrorKind::usage,
                     registry.name + ": the number of its state is encrypted, so it cannot be compared",
                     "give the vendor's key, or a registry", Remedy::give_vendor_key};
    }
    Newest newest;
    std::error_code ignored;
    if (std::filesystem::exists(std::filesystem::symlink_status(file, ignored))) {
        MODELSEAL_TRY_ASSIGN(const auto text, io::read_text(file, kMostNewest));
        MODELSEAL_TRY_ASSIGN(newest, decode_newest(text, util::printable(file.string())));
    }
    auto& known = newest[{to_hex(registry.vendor.bytes()), registry.ledger}];
    if (known > *registry.number) {
        return Error{ErrorKind::mismatch,
                     fmt::format("{}: was put back to an earlier state: it has the state after change {}, and "
                                 "the state after change {} was seen before",
                                 registry.name, *registry.number, known),
                     "get the present ledger or registry from the vendor", Remedy::export_registry};
    }
    if (known == *registry.number) return {};
    known = *registry.number;
    return io::write_text(file, encode_newest(newest), 0644, io::WriteMode::replace);
}

}  // namespace modelseal::identity
