#include "hook/oci/inspect.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <sys/statvfs.h>

#include "hook/oci/manifest.h"
#include "io/file.h"
#include "io/rfc3339.h"
#include "jobs/many/targets.h"
#include "jobs/policy/closure.h"
#include "model/part.h"
#include "report/policy.h"
#include "report/report.h"
#include "report/words.h"
#include "util/text.h"

namespace modelseal::hook {
namespace {

namespace fs = std::filesystem;

// A report may name a million tensors; the queue, and a referrer, hold the first part of the story.
constexpr std::size_t kMostReport = 512u << 10;
constexpr std::uint64_t kSpaceLeft = 256u << 20;  // on the disk, beside the layers

std::string lower_name(const std::string& path) {
    auto name = fs::path(path).filename().string();
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    return name;
}

// Read by people alone.
bool is_document(const std::string& path) {
    const auto name = lower_name(path);
    const bool named =
        std::ranges::any_of(std::initializer_list<const char*>{"readme", "license", "licence", "notice"},
                            [&](const char* word) { return name == word; });
    return named || name.ends_with(".md") || name == "license.txt" || name == "readme.txt" ||
           name == "notice.txt";
}

// A model stays one under the name of a document. What cannot be read is none that could be left out either.
bool has_a_model(const fs::path& file) {
    const auto source = io::FileSource::open(file, file.string());
    return !source.ok() || model::recognised(**source);
}

bool is_adapter(const std::string& path) {
    const auto name = fs::path(path).filename();
    return std::ranges::any_of(jobs::kAdapterNames, [&](std::string_view adapter) { return name == adapter; });
}

// Paths of our own folders say nothing to the readers of a report.
std::string without(std::string text, const fs::path& folder, const std::string& instead) {
    const auto path = util::printable(folder.string());
    const auto replace = [&](const std::string& from, const std::string& to) {
        for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
            text.replace(at, from.size(), to);
    };
    replace(path + "/", "");
    replace(path, instead);
    return text;
}

class Inspector {
  public:
    Inspector(Registry& registry, const Policy& policy, const Job& job, const InspectOptions& options)
        : registry_(registry),
          policy_(policy),
          job_(job),
          options_(options),
          folder_(options.scratch / fmt::format("job-{}", job.id)) {}

    Result<Inspection> run() {
        decision_.time = io::rfc3339_now();
        decision_.name = job_.repository;
        auto stored = registry_.manifest(job_.repository, job_.digest);
        if (!stored.ok()) return failed(stored.error());
        // A push may be reported before all parts of a registry know of it.
        constexpr unsigned kMostLooks = 3;
        if (!*stored && job_.attempts < kMostLooks && !options_.last_attempt)
            return Error{ErrorKind::unreadable, "the registry does not have the manifest", {}};
        if (!*stored) return gone();
        decision_.media_type = (*stored)->media_type;
        decision_.size = (*stored)->bytes.size();
        manifest_bytes_ = std::move((*stored)->bytes);
        auto manifest = parse_manifest(manifest_bytes_, decision_.media_type);
        if (!manifest.ok()) return failed(manifest.error());
        if (manifest->kind == Manifest::Kind::index) return index(*manifest);
        std::error_code ignored;
        fs::remove_all(folder_, ignored);  // of a run that was killed
        MODELSEAL_TRY_ASSIGN(auto folder, ArtifactFolder::create(folder_, options_.limits));
        if (manifest->kind == Manifest::Kind::image || manifest->layers.empty()) return unknown(folder);
        const auto fetched = fetch(*manifest, folder);
        if (!fetched.ok()) return failed(fetched.error());
        return check(folder, target_in(folder.path(), folder.files()));
    }

  private:
    Result<void> fetch(const Manifest& manifest, ArtifactFolder& folder);
    Result<Inspection> check(ArtifactFolder& folder, const std::string& target);
    Result<CheckReport> report_on(const fs::path& target) const {
        return policy_.check(target, {.name = job_.repository, .jobs = options_.threads});
    }

    // A container image, or nothing at all: what the policy makes of a file that is not a model.
    Result<CheckReport> report_on_manifest(ArtifactFolder& folder) const {
        constexpr const char* kName = "manifest.json";
        MODELSEAL_TRY(folder.begin_file(kName, manifest_bytes_.size(), kName));
        MODELSEAL_TRY(folder.write(std::as_bytes(std::span(manifest_bytes_))));
        MODELSEAL_TRY(folder.end_file());
        return report_on(folder.path() / kName);
    }

    Result<Inspection> unknown(ArtifactFolder& folder) {
        auto report = report_on_manifest(folder);
        if (!report.ok()) return failed(report.error());
        return taken(std::move(*report));
    }

    Result<Inspection> gone() {
        decision_.subject = Decision::Subject::gone;
        decision_.reason = "the registry does not have the manifest any more";
        return Inspection{std::move(decision_), {}};
    }

    Result<Inspection> index(const Manifest& manifest) {
        decision_.subject = Decision::Subject::index;
        decision_.outcome = Ruling::Outcome::allow;
        decision_.verdict = "intact";
        decision_.reason = fmt::format("an index of {}, which are decided one by one",
                                       util::counted(manifest.children.size(), "manifest"));
        return Inspection{std::move(decision_), manifest.children};
    }

    // What may succeed later is an Error. The rest is refused as the rule says that refuses: a rule on trial warns, and one
    // that quarantines does so; one that takes no notice of unknown files does not let lies through.
    Result<Inspection> failed(const Error& error) {
        if (error.kind == ErrorKind::unreadable || error.kind == ErrorKind::internal) return error;
        decision_.reason = without(util::printable(error.message), folder_, job_.repository);
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
        auto folder = ArtifactFolder::create(folder_, options_.limits);
        if (!folder.ok()) return folder.error();
        auto report = report_on_manifest(*folder);
        if (!report.ok()) return report.error();
        using Outcome = Ruling::Outcome;
        auto& ruling = *report->ruling;
        ruling.outcome = ruling.audit                            ? Outcome::warn
                         : ruling.outcome == Outcome::quarantine ? Outcome::quarantine
                                                                 : Outcome::deny;
        report->verdict = Verdict::error;
        report->error = decision_.reason;
        report->exit_code = ruling.audit ? ExitCode::done : ExitCode::failed;
        const auto reason = std::exchange(decision_.reason, {});
        MODELSEAL_TRY_ASSIGN(auto inspection, taken(std::move(*report)));
        inspection.decision.reason = reason;
        return inspection;
    }

    Result<Inspection> taken(CheckReport report) {
        report.target = without(report.target, folder_, job_.repository);
        decision_.outcome = report.ruling->outcome;
        decision_.verdict = report::word(report.verdict);
        decision_.reason = without(util::printable(reason_of(report)), folder_, job_.repository);
        auto line = without(report::to_json_line(report), folder_, job_.repository);
        if (line.size() > kMostReport) {
            // The counts and the ruling stay.
            if (report.seal) report.seal->tensors.clear();
            if (report.seal) report.seal->files.clear();
            if (report.signature) report.signature->findings.clear();
            line = without(report::to_json_line(report), folder_, job_.repository);
        }
        while (line.ends_with('\n')) line.pop_back();
        if (line.size() <= kMostReport) decision_.report = std::move(line);
        return Inspection{std::move(decision_), {}};
    }

    Registry& registry_;
    const Policy& policy_;
    const Job& job_;
    const InspectOptions& options_;
    const fs::path folder_;
    std::string manifest_bytes_;
    Decision decision_;
};

Result<void> Inspector::fetch(const Manifest& manifest, ArtifactFolder& folder) {
    if (manifest.layer_bytes > options_.limits.bytes) {
        return Error{ErrorKind::unsupported,
                     fmt::format("layers of {}, the limit is {}", util::counted(manifest.layer_bytes, "byte"),
                                 util::grouped(options_.limits.bytes)),
                     {}};
    }
    struct statvfs space {};
    if (::statvfs(folder.path().c_str(), &space) == 0) {
        const auto free = std::uint64_t{space.f_bavail} * space.f_frsize;
        if (manifest.layer_bytes > free || free - manifest.layer_bytes < kSpaceLeft) {
            return Error{
                ErrorKind::unreadable,
                fmt::format("{}: {} are free, the layers have {}", util::printable(options_.scratch.string()),
                            util::counted(free, "byte"), util::grouped(manifest.layer_bytes)),
                "give the files of uploads a folder with more space"};
        }
    }
    for (const auto& layer : manifest.layers) {
        MODELSEAL_TRY_ASSIGN(const auto unpacker, LayerUnpacker::begin(layer, folder));
        MODELSEAL_TRY(registry_.blob(job_.repository, layer, [&](std::span<const std::byte> bytes) {
            if (options_.bytes != nullptr) *options_.bytes += bytes.size();
            return unpacker->take(bytes);
        }));
        MODELSEAL_TRY(unpacker->finish());
    }
    return {};
}

Result<Inspection> Inspector::check(ArtifactFolder& folder, const std::string& target) {
    auto report = report_on(target.empty() ? folder.path() : folder.path() / target);
    if (!report.ok()) return failed(report.error());
    return taken(std::move(*report));
}

}  // namespace

std::string target_in(const fs::path& folder, const std::set<std::string>& files) {
    if (files.size() == 1) return *files.begin();
    std::vector<std::string> rest;
    for (const auto& file : files) {
        if (!is_document(file) || has_a_model(folder / file)) rest.push_back(file);
    }
    // The model is the one that has the others next to it.
    const auto accompanies = [](const std::string& file, const fs::path& model) {
        const fs::path path(file);
        const bool adapter = is_adapter(file) && !is_adapter(model.string());
        return path != model && path.parent_path() == model.parent_path() &&
               (adapter || path.filename() == "model.sig" || path == model.string() + ".sig");
    };
    const auto models = jobs::models_below(folder, false);
    if (!models.ok()) return {};
    for (const auto& model : *models) {
        const bool alone = std::ranges::all_of(
            rest, [&](const std::string& file) { return file == model.name || accompanies(file, model.name); });
        if (alone) return model.name;
    }
    return {};
}

Result<Inspection> inspect(Registry& registry, const Policy& policy, const Job& job,
                           const InspectOptions& options) {
    return Inspector(registry, policy, job, options).run();
}

}  // namespace modelseal::hook
