#include "report/check/seal_section.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/check/part.h"

namespace modelseal::report {
namespace {

using Cause = SealFinding::Cause;
using SealOutcome = SealFinding::Outcome;
using TensorOutcome = TensorFinding::Outcome;

std::uint64_t count_of(const SealFinding& seal, TensorOutcome outcome) {
    return static_cast<std::uint64_t>(std::ranges::count(seal.tensors, outcome, &TensorFinding::outcome));
}

const std::string* stamp_value(const SealFinding& seal, std::string_view key) {
    const auto found = std::ranges::find(seal.stamp, key, [](const auto& fact) { return fact.first; });
    return found == seal.stamp.end() ? nullptr : &found->second;
}

// Without the signed manifest nobody knows how it was.
bool is_frame_changed(const SealFinding& seal) {
    return !seal.frame_intact && seal.cause != Cause::lost_manifest;
}

// The names of tensors are part of the frame.
const char* what_changed_around(const SealFinding& seal) {
    return seal.names_detail.empty() ? "frame changed" : "names changed";
}

std::string intact_verdict(const SealFinding& seal) {
    auto verdict = fmt::format(
        "{}, {} ({})",
        seal.frame_intact ? std::string("intact") : std::string("weights intact, ") + what_changed_around(seal),
        counted(seal.tensors_total, "tensor"), byte_size(seal.bytes_total));
    if (const auto stamp = stamp_text(seal); !stamp.empty()) verdict += ", " + stamp;
    return verdict;
}

std::string tampered_verdict(const SealFinding& seal) {
    const auto findings = findings_text(seal);
    return findings.empty() ? "tampered" : "tampered, " + findings;
}

// A model of one file has no other name to list than its own.
bool lists_files(const SealFinding& seal) {
    return std::ranges::any_of(seal.files, [](const FileFinding& file) { return !file.name.empty(); });
}

void say_frame(const SealFinding& seal, Section& section) {
    if (!covers_frame(seal)) return;
    if (!lists_files(seal)) return section.say(frame_text(seal), "frame");
    section.files = seal.files;
    if (seal.files_missing > 0)
        section.say(counted(seal.files_missing, "more sealed file") + " missing, names unknown", "frame");
}

void say_what_changed(const SealFinding& seal, Section& section) {
    // The verdict has counted these, or quoted them.
    const bool stated =
        seal.cause == Cause::weights || seal.cause == Cause::frame || seal.outcome == SealOutcome::unexpected;
    if (!stated) section.say(seal.detail);
    if (seal.unknown_blocks > 0) {
        section.say("changes may be missing from this list: no check value survived of " +
                    counted(seal.unknown_blocks, "block"));
    }
    say_frame(seal, section);
    section.say(stamp_text(seal));
    if (seal.cause == Cause::stamp) return;
    for (const auto& entry : seal.unexpected) section.say(entry);
}

void say_what_held(const SealFinding& seal, Section& section) {
    if (!covers_frame(seal)) section.say(seal.detail + "; the frame is not covered", "scheme " + seal.scheme);
    say_frame(seal, section);
}

void add_facts(const SealFinding& seal, Section& section) {
    for (const auto& [key, value] : seal.stamp) section.fact(key, value);
    if (was_read(seal) && !seal.part) {
        section.fact("tensors", grouped(seal.tensors_total));
        section.fact("size", byte_size(seal.bytes_total));
        section.fact("frame",
                     !covers_frame(seal)      ? "not covered"
                     : seal.frame_intact      ? "intact"
                     : is_frame_changed(seal) ? "changed"
                                              : "unknown",
                     seal.frame_intact ? Tone::plain : Tone::bad);
        if (!seal.stamp_authentic) section.fact("stamp", "not signed by the vendor", Tone::bad);
        section.fact("wrong bits", percent(seal.bit_error_rate));
    }
    section.fact("vendor key", seal.vendor_key, Tone::plain, Row::Face::code);
    section.fact("scheme", seal.scheme);
    section.fact("derived from", seal.parent, Tone::plain, Row::Face::code);
    section.fact("root", seal.root, Tone::plain, Row::Face::code);
}

}  // namespace

bool covers_frame(const SealFinding& seal) {
    return seal.scheme != "deepisign";
}

bool was_read(const SealFinding& seal) {
    return seal.outcome == SealOutcome::intact || seal.outcome == SealOutcome::tampered ||
           seal.outcome == SealOutcome::unexpected;
}

std::string findings_text(const SealFinding& seal) {
    std::vector<std::string> parts;
    if (const auto changed = count_of(seal, TensorOutcome::changed); changed > 0) {
        parts.push_back(fmt::format("{} of {} changed", grouped(changed),
                                    counted(seal.part ? seal.part->tensors : seal.tensors_total, "tensor")));
    }
    const auto others = [&](TensorOutcome outcome) {
        const auto count = count_of(seal, outcome);
        if (count == 0) return;
        parts.push_back(
            fmt::format("{} {}", parts.empty() ? counted(count, "tensor") : grouped(count), word(outcome)));
    };
    others(TensorOutcome::missing);
    others(TensorOutcome::added);
    if (!seal.frame_intact && seal.weights_intact && parts.empty()) parts.emplace_back("weights intact");
    if (is_frame_changed(seal)) parts.emplace_back(what_changed_around(seal));
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string stamp_text(const SealFinding& seal) {
    std::string out = seal.stamp_authentic ? "sealed" : "claims, without a valid signature, to be sealed";
    const auto nothing = out;
    const auto say = [&](std::string_view before, const std::string* value) {
        if (value != nullptr && !value->empty()) out += fmt::format("{}{}", before, *value);
    };
    const auto* name = stamp_value(seal, "name");
    const auto* version = stamp_value(seal, "version");
    say(" as ", name);
    say(name != nullptr ? " " : " as version ", version);
    say(" for ", stamp_value(seal, "customer"));
    say(" by key ", &seal.vendor_key);
    return out == nothing ? std::string() : out;
}

std::string frame_text(const SealFinding& seal) {
    if (seal.frame_intact) return seal.frame_detail;
    std::vector<std::string> parts;
    for (const auto& file : seal.files) {
        if (!file.name.empty()) parts.push_back(fmt::format("{} ({})", file.name, word(file.outcome)));
    }
    if (seal.files_missing > 0)
        parts.push_back(counted(seal.files_missing, "sealed file") + " missing, names unknown");
    if (!parts.empty()) return fmt::format("{}", fmt::join(parts, ", "));
    if (!seal.frame_detail.empty()) return seal.frame_detail;
    return "names, shapes, metadata or graph are not as sealed";
}

std::string where_text(const TensorFinding& tensor, std::size_t columns) {
    if (tensor.outcome != TensorOutcome::changed) return std::string(word(tensor.outcome));
    const auto ranges = joined(tensor.changed);
    if (ranges.empty()) return "somewhere in it";
    if (ranges.size() == 1 && ranges[0].first == 0 && ranges[0].count == elements_of(tensor.shape)) {
        return fmt::format("all {}", grouped(ranges[0].count));
    }
    return ranges_text(ranges, columns);
}

Section seal_section(const SealFinding& finding) {
    Section section{.kind = CheckKind::seal, .tensors = finding.tensors, .hint = finding.hint};
    switch (finding.outcome) {
        case SealOutcome::intact:
            section.tone = Tone::good;
            section.verdict = intact_verdict(finding);
            say_what_held(finding, section);
            break;
        case SealOutcome::tampered:
            section.tone = Tone::bad;
            section.verdict = tampered_verdict(finding);
            say_what_changed(finding, section);
            break;
        case SealOutcome::unexpected:
            section.tone = Tone::bad;
            section.verdict = "not the expected model, " + finding.detail;
            say_what_changed(finding, section);
            break;
        case SealOutcome::partial:
            section.tone = Tone::doubtful;
            section.verdict = "partial, " + finding.detail;
            section.say(stamp_text(finding));
            break;
        case SealOutcome::not_found:
            section.tone = Tone::doubtful;
            section.verdict = "unsealed, " + finding.detail;
            break;
        case SealOutcome::error:
            section.tone = Tone::bad;
            section.verdict = "not checked";
            section.failure = finding.detail.empty() ? section.verdict : finding.detail;
            section.say(finding.detail);
            break;
    }
    if (finding.part) add_part(*finding.part, section);
    add_facts(finding, section);
    return section;
}

}  // namespace modelseal::report
