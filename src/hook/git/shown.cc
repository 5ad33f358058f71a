#include "hook/git/shown.h"

#include <vector>

namespace modelseal::hook {
namespace {

class Renamer {
  public:
    Renamer(const std::string& from, const std::string& to) : from_(from), to_(to) {}

    void rename(std::string& text) const { rename_in(text, from_, to_); }
    void rename(std::vector<std::string>& texts) const {
        for (auto& text : texts) rename(text);
    }
    void rename(std::vector<FileFinding>& files) const {
        for (auto& file : files) {
            rename(file.name);
            rename(file.detail);
        }
    }
    template <class Finding>
    void rename_detail(Finding& finding) const {
        rename(finding.detail);
        rename(finding.hint);
    }

  private:
    const std::string& from_;
    const std::string& to_;
};

}  // namespace

void rename_in(std::string& text, const std::string& from, const std::string& to) {
    if (from.empty()) return;
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

void rename_in(CheckReport& report, const std::string& from, const std::string& to) {
    const Renamer renamer(from, to);
    renamer.rename(report.target);
    renamer.rename(report.error);
    renamer.rename(report.hint);
    renamer.rename(report.warnings);
    if (report.seal) {
        renamer.rename_detail(*report.seal);
        renamer.rename(report.seal->frame_detail);
        renamer.rename(report.seal->files);
    }
    if (report.fingerprint) {
        renamer.rename_detail(*report.fingerprint);
        renamer.rename(report.fingerprint->warnings);
    }
    if (report.signature) {
        renamer.rename_detail(*report.signature);
        renamer.rename(report.signature->findings);
    }
    for (auto& missing : report.missing) renamer.rename_detail(missing);
    if (!report.ruling) return;
    for (auto& requirement : report.ruling->requirements) renamer.rename(requirement.found);
}

}  // namespace modelseal::hook
