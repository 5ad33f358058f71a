#include "jobs/deepisign.h"

#include <algorithm>
#include <atomic>

#include <fmt/format.h>

#include "crypto/signed_file.h"
#include "formats/bytes.h"
#include "jobs/recorded.h"
#include "mark/deepisign.h"
#include "mark/embed.h"
#include "util/encodings.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

constexpr std::string_view kDomain = "modelseal/1 deepisign";
constexpr std::string_view kSignatureLine = "signature=";

// The message that the vendor signs: the stamp, and the tensors that it was made for. It does not bind the
// weights, as nothing in this scheme does; but nobody else can make a stamp.
std::vector<std::byte> message(const model::Model& model, std::string_view facts) {
    crypto::Sha256 hash;
    for (const auto& tensor : model.tensors) hash.update(mark::identity(tensor));
    auto body = formats::ByteWriter().raw(std::as_bytes(std::span(facts))).raw(hash.finish());
    return crypto::message_to_sign(kDomain, body.take());
}

// The stamp is one text in the paper: here a line for each entry, and the signature last.
Result<std::string> stamp_text(const model::Model& model, const mark::Stamp& stamp, const SigningKey& key) {
    auto text = fmt::format("vendor={}\n", to_hex(key.public_key().id()));
    for (const auto& [name, value] : stamp) text += fmt::format("{}={}\n", name, value);
    MODELSEAL_TRY_ASSIGN(const auto signature, key.sign(message(model, text)));
    return text + fmt::format("{}{}\n", kSignatureLine, to_hex(signature));
}

std::optional<SignatureBytes> signature_of(std::string_view hex) {
    SignatureBytes signature;
    const auto bytes = util::from_hex(hex);
    if (!bytes || bytes->size() != signature.size()) return std::nullopt;
    std::ranges::copy(*bytes, signature.begin());
    return signature;
}

// Fills in the stamp, and whether the vendor signed it for these tensors.
void parse_stamp(const model::Model& model, const PublicKey& vendor, const std::string& text,
                 SealFinding& finding) {
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        const auto equals = line.find('=');
        if (line.starts_with(kSignatureLine)) {
            const auto signature = signature_of(std::string_view(line).substr(kSignatureLine.size()));
            finding.stamp_authentic = end + 1 == text.size() && signature &&
                                      vendor.verify(message(model, text.substr(0, at)), *signature);
        } else if (line.starts_with("vendor=")) {
            finding.vendor_key = line.substr(equals + 1);
        } else if (equals != std::string::npos) {
            finding.stamp.emplace_back(line.substr(0, equals), line.substr(equals + 1));
        }
        at = end + 1;
    }
}

// The stamp's text has lines NAME=VALUE and two names of its own.
Result<void> check_names(const mark::Stamp& stamp) {
    for (const auto& [name, value] : stamp) {
        const bool taken =
            name == "vendor" || name == "signature" || name.find_first_of("=\n") != std::string::npos;
        if (!taken && value.find('\n') == std::string::npos) continue;
        return Error{ErrorKind::usage,
                     fmt::format("stamp: deepisign does not support '{}'", util::printable(name)),
                     "'vendor', 'signature' and line breaks are reserved"};
    }
    return {};
}

}  // namespace

Result<SealSummary> seal_deepisign(const model::Model& model, const std::filesystem::path& out,
                                   const mark::Stamp& stamp, const SealOptions& options,
                                   io::Progress& progress) {
    if (options.receipt) {
        return Error{ErrorKind::usage, "deepisign does not support receipts: it rewrites entire layers",
                     "keep the original, or seal with the modelseal scheme", Remedy::use_modelseal_scheme};
    }
    MODELSEAL_TRY(check_names(stamp));
    progress.total(model.bytes());
    MODELSEAL_TRY_ASSIGN(const auto text, stamp_text(model, stamp, options.key));
    MODELSEAL_TRY_ASSIGN(const auto frame, mark::scan_frame(model, options.jobs, io::no_progress()));
    MODELSEAL_TRY_ASSIGN(auto output, model::ModelOutput::copy(model, out, options.jobs, progress));
    std::atomic<std::uint64_t> bytes_written = 0;
    const auto patch = [&](std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes) {
        bytes_written += bytes.size();
        return output.write(file, offset, bytes);
    };
    MODELSEAL_TRY_ASSIGN(const auto embedding,
                         mark::deepisign_embed(model, options.check.secret.bytes(), text, patch));
    MODELSEAL_TRY(mark::renew_checksums(model, frame, options.jobs, output));
    MODELSEAL_TRY(model.unchanged());
    MODELSEAL_TRY_ASSIGN(const auto found, check_deepisign(output.as_model(), options.check, false));
    if (found.outcome != SealFinding::Outcome::intact) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: the written marks cannot be read back: {}",
                                 util::printable(model.path.string()), found.detail),
                     "weights are too large or too small for four decimals; use the modelseal scheme",
                     Remedy::use_modelseal_scheme};
    }
    SealSummary summary{.format = model.format,
                        .files = model.files.size(),
                        .bytes = model.bytes(),
                        .tensors = model.tensors.size()};
    for (const auto& tensor : model.tensors) summary.elements += tensor.elements;
    summary.cells = embedding.layers;
    summary.touched = bytes_written / sizeof(float);
    summary.stamp = stamp;
    LedgerEntry entry{.customer = options.check.customer, .stamp = stamp};
    MODELSEAL_TRY(
        commit_recorded(options.ledger, std::move(entry), model.path, out, [&] { return output.commit(); }));
    return summary;
}

Result<SealFinding> check_deepisign(const model::Model& model, const CheckKey& key, bool all) {
    MODELSEAL_TRY_ASSIGN(const auto reading, mark::deepisign_read(model, key.secret.bytes()));
    SealFinding finding;
    if (!reading.found) return finding;
    finding.scheme = "deepisign";
    finding.outcome = reading.intact() ? SealFinding::Outcome::intact : SealFinding::Outcome::tampered;
    finding.frame_detail = "not covered by this scheme";
    parse_stamp(model, key.vendor, reading.stamp, finding);
    double wrong = 0, carriers = 0;
    std::size_t changed = 0;
    for (const auto& layer : reading.layers) {
        const auto tensor = std::ranges::lower_bound(model.tensors, layer.tensor, {}, &Tensor::name);
        wrong += layer.bit_error_rate * static_cast<double>(layer.carriers);
        carriers += static_cast<double>(layer.carriers);
        changed += layer.hash_matches ? 0 : 1;
        if (!all && layer.hash_matches) continue;
        finding.tensors.push_back(
            {.name = layer.tensor,
             .dtype = std::string(info(tensor->dtype).name),
             .shape = tensor->shape,
             .outcome = layer.hash_matches ? TensorFinding::Outcome::intact : TensorFinding::Outcome::changed,
             .bit_error_rate = layer.bit_error_rate});
    }
    finding.bit_error_rate = carriers > 0 ? wrong / carriers : 0;
    finding.weights_intact = reading.intact() && finding.stamp_authentic;
    if (!finding.stamp_authentic) finding.outcome = SealFinding::Outcome::tampered;
    finding.detail =
        changed == 0
            ? fmt::format("the secrets of all {} marked layers hold", reading.layers.size())
            : fmt::format("the secrets of {} of {} marked layers do not hold", changed, reading.layers.size());
    if (!finding.stamp_authentic) finding.detail += "; the stamp is not signed by the vendor";
    if (!reading.unmarked.empty()) {
        finding.detail += fmt::format("; {} are not covered", util::counted(reading.unmarked.size(), "tensor"));
    }
    return finding;
}

}  // namespace modelseal::jobs
