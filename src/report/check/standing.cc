#include "report/check/standing.h"

namespace modelseal::report {
namespace {

std::size_t standing_of(Ruling::Outcome outcome) {
    switch (outcome) {
        case Ruling::Outcome::allow:
            return 6;
        case Ruling::Outcome::warn:
            return 5;
        case Ruling::Outcome::quarantine:
            return 3;
        case Ruling::Outcome::deny:
            break;
    }
    return 0;
}

}  // namespace

std::size_t standing_of(const CheckReport& report) {
    if (report.ruling) return standing_of(report.ruling->outcome);
    switch (report.verdict) {
        case Verdict::tampered:
        case Verdict::unexpected:
            return 1;
        case Verdict::unsealed:
            return 4;
        case Verdict::intact:
            return 7;
        case Verdict::error:
        case Verdict::partial:
            break;
    }
    return 2;
}

}  // namespace modelseal::report
