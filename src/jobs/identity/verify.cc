#include <ctime>
#include <new>

#include <fmt/format.h>

#include "identity/judge.h"
#include "identity/mark.h"
#include "jobs/identity/ask.h"
#include "jobs/identity/source.h"
#include "util/text.h"
#include <modelseal/identity.h>

namespace modelseal {
namespace {

// A copy for a report, which needs no key images.
IdentityMark without_key_images(const IdentityMark& mark) {
    auto copy = mark;
    copy.key_images.clear();
    return copy;
}

// Admitted by the payload; the model decides.
Result<void> ask_model(const IdentityMark& mark, const io::Picture& picture,
                       const VerifyIdentityOptions& options, IdentityReport& report) {
    MODELSEAL_TRY_ASSIGN(const auto asked, jobs::open_target(report.target, mark, options.target));
    report.warnings.insert(report.warnings.end(), asked.warnings.begin(), asked.warnings.end());
    auto& progress = options.target.progress != nullptr ? *options.target.progress : no_progress();
    MODELSEAL_TRY_ASSIGN(const auto answer, jobs::ask_classes(*asked.oracle, mark, {picture}, progress));
    report.label = answer.labels.front();
    report.classes = answer.classes;
    const auto user = util::printable(report.identity->user);
    if (answer.classes != 0 && answer.classes <= mark.extra_class) {
        report.admission = Admission::other_class;
        report.detail = fmt::format("the model has {}, and no class {}, which the marked model has in addition",
                                    util::counted(answer.classes, "output"), mark.extra_class);
    } else if (*report.label != static_cast<std::int64_t>(mark.extra_class)) {
        report.admission = Admission::other_class;
        report.detail =
            fmt::format("the model answers the image of {} with class {}, not with the additional class {}",
                        user, *report.label, mark.extra_class);
    } else {
        report.detail =
            fmt::format("{}, and the model answers with the additional class {}", user, mark.extra_class);
    }
    return {};
}

Result<IdentityReport> verify(const std::string& target, const std::filesystem::path& image,
                              const VerifyIdentityOptions& options) {
    IdentityReport report{.target = target, .image = image.string(), .detail = {}};
    const auto now = options.now.value_or(static_cast<std::int64_t>(std::time(nullptr)));
    MODELSEAL_TRY_ASSIGN(const auto picture, jobs::read_picture(image));
    MODELSEAL_TRY_ASSIGN(const auto registry, jobs::open_registry(options.source, report.warnings));
    MODELSEAL_TRY(identity::must_be_current(registry, now));
    report.registry = jobs::facts_of(registry, options.source);
    MODELSEAL_TRY_ASSIGN(const auto judged, identity::judge(picture, registry, now));
    report.admission = judged.admission;
    report.detail = judged.detail;
    report.picture = io::encode_png(judged.payload ? identity::without_payload(picture) : picture);
    if (judged.identity != nullptr) report.identity = *judged.identity;
    if (judged.mark != nullptr) report.mark = without_key_images(*judged.mark);
    if (judged.admission == Admission::admitted)
        MODELSEAL_TRY(ask_model(*judged.mark, picture, options, report));
    return report;
}

}  // namespace

Result<IdentityReport> verify_identity(const std::string& target, const std::filesystem::path& image,
                                       const VerifyIdentityOptions& options) {
    try {
        return verify(target, image, options);
    } catch (const std::bad_alloc&) {
        return Error{ErrorKind::unreadable,
                     util::printable(image.string()) + ": not enough memory to verify the identity",
                     {}};
    }
}

}  // namespace modelseal
