#include "report/signature_words.h"

#include <algorithm>

#include <fmt/format.h>

#include "report/words.h"
#include "util/text.h"

namespace modelseal::report {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kRows = 20;  // of a list that is cut

ordered_json tensor_json(const TensorFinding& tensor) {
    return {{"name", json_text(tensor.name)}, {"outcome", word(tensor.outcome)}};
}

ordered_json file_json(const SignatureFinding::FileFinding& file) {
    ordered_json out = {{"name", json_text(file.name)}, {"outcome", word(file.outcome)}};
    if (!file.detail.empty()) out["detail"] = json_text(file.detail);
    if (file.tensors.empty()) return out;
    auto& list = out["tensors"] = ordered_json::array();
    for (const auto& tensor : file.tensors) list.push_back(tensor_json(tensor));
    return out;
}

// "conv1.weight changed, fc.bias missing"
std::string tensors_text(const std::vector<TensorFinding>& tensors, bool all) {
    std::string out;
    const auto shown = all ? tensors.size() : std::min(tensors.size(), kRows);
    for (std::size_t i = 0; i < shown; ++i) {
        out += fmt::format("      tensor {} {}\n", util::printable(tensors[i].name), word(tensors[i].outcome));
    }
    if (shown < tensors.size()) {
        out += fmt::format("      ... and {} more tensors (use --all or --json)\n",
                           grouped(tensors.size() - shown));
    }
    return out;
}

std::string files_text(const SignatureFinding& signature, const TextStyle& style) {
    std::string out;
    const auto& files = signature.findings;
    const auto shown = style.all ? files.size() : std::min(files.size(), kRows);
    for (std::size_t i = 0; i < shown; ++i) {
        const auto& file = files[i];
        out += fmt::format("    {} {}", paint(style, Ink::red, fmt::format("{:10}", word(file.outcome))),
                           util::printable(file.name));
        if (!file.detail.empty()) out += ": " + util::printable(file.detail);
        out += "\n" + tensors_text(file.tensors, style.all);
    }
    if (shown < files.size()) {
        out += fmt::format("    ... and {} more (use --all or --json)\n", grouped(files.size() - shown));
    }
    return out;
}

}  // namespace

std::string_view word(SignatureFinding::Outcome outcome) {
    switch (outcome) {
        case SignatureFinding::Outcome::valid:
            return "valid";
        case SignatureFinding::Outcome::invalid:
            return "invalid";
        case SignatureFinding::Outcome::error:
            break;
    }
    return "error";
}

std::string_view word(SignatureFinding::FileFinding::Outcome outcome) {
    switch (outcome) {
        case SignatureFinding::FileFinding::Outcome::changed:
            return "changed";
        case SignatureFinding::FileFinding::Outcome::missing:
            return "missing";
        case SignatureFinding::FileFinding::Outcome::added:
            break;
    }
    return "added";
}

ordered_json signature_json(const SignatureFinding& signature) {
    ordered_json out = {
        {"kind", "signature"}, {"outcome", word(signature.outcome)}, {"detail", json_text(signature.detail)}};
    const auto add = [&](const char* key, const std::string& value) {
        if (!value.empty()) out[key] = json_text(value);
    };
    add("method", signature.method);
    add("signer", signature.signer);
    add("timestamp", signature.timestamp);
    add("model", signature.model);
    add("root", signature.root);
    add("serialization", signature.serialization);
    add("hash", signature.hash);
    add("seal_root", signature.seal_root);
    add("fingerprint", signature.fingerprint);
    out["files_compared"] = signature.files;
    out["bytes_compared"] = signature.bytes;
    out["unsigned_ignored"] = signature.unsigned_files;
    auto& files = out["files"] = ordered_json::array();
    for (const auto& file : signature.findings) files.push_back(file_json(file));
    return out;
}

std::string signature_headline(const SignatureFinding& signature) {
    const bool told = signature.outcome != SignatureFinding::Outcome::error;
    return fmt::format("signature {}, {}", told ? word(signature.outcome) : "not verified",
                       util::printable(signature.detail));
}

std::string signer_text(const SignatureFinding& signature) {
    if (signature.signer.empty()) return {};
    auto out = fmt::format("signed by {} {}", signature.method, util::printable(signature.signer));
    if (!signature.timestamp.empty()) out += ", before " + util::printable(signature.timestamp);
    return out;
}

std::string signature_text(const std::string& target, const SignatureFinding& signature,
                           const TextStyle& style) {
    const bool valid = signature.outcome == SignatureFinding::Outcome::valid;
    const auto head = fmt::format("{}: {}", util::printable(target), signature_headline(signature));
    auto out = paint(style, valid ? Ink::green : Ink::red, head) + "\n";
    const auto line = [&](const std::string& text) {
        if (!text.empty()) out += "  " + text + "\n";
    };
    line(util::printable(signature.hint));
    out += files_text(signature, style);
    line(signer_text(signature));
    if (signature.unsigned_files > 0) {
        line(counted(signature.unsigned_files, "file") + " that are not signed were ignored");
    }
    return out;
}

}  // namespace modelseal::report
