#include "hook/oci/metrics.h"

#include <fstream>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

#include "report/policy.h"

namespace modelseal::hook {
namespace {

class Page {
  public:
    void describe(std::string_view name, std::string_view type, std::string_view help) {
        text_ +=
            fmt::format("# HELP modelseal_hook_{0} {2}\n# TYPE modelseal_hook_{0} {1}\n", name, type, help);
    }
    void value(std::string_view name, std::string_view labels, std::uint64_t number) {
        text_ += fmt::format("modelseal_hook_{}{} {}\n", name, labels, number);
    }
    void single(std::string_view name, std::string_view type, std::string_view help, std::uint64_t number) {
        describe(name, type, help);
        value(name, "", number);
    }
    std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

// Of this process; 0 if the system does not say.
std::uint64_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t size = 0, resident = 0;
    file >> size >> resident;
    return file ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace

std::string Metrics::text(const QueueCounts& queue, bool policy_valid) const {
    Page page;
    page.describe("notifications_total", "counter", "Notifications, by what became of them.");
    page.value("notifications_total", "{result=\"accepted\"}", accepted);
    page.value("notifications_total", "{result=\"malformed\"}", malformed);
    page.value("notifications_total", "{result=\"unauthorized\"}", unauthorized);
    page.value("notifications_total", "{result=\"full\"}", queue.refused);
    page.single("skipped_events_total", "counter", "Events that name no upload that could be checked.",
                skipped);
    page.single("duplicates_total", "counter", "Pushes that were reported again.", queue.duplicates);
    page.single("queue_jobs", "gauge", "Uploads that are not done.", queue.waiting);
    page.single("queue_taken", "gauge", "Uploads that are being worked on.", queue.taken);
    page.describe("decisions_total", "counter", "Decisions about uploads, by outcome.");
    for (std::size_t i = 0; i < decisions.size(); ++i) {
        const auto label = fmt::format("{{outcome=\"{}\"}}", report::word(static_cast<Ruling::Outcome>(i)));
        page.value("decisions_total", label, decisions[i]);
    }
    page.single("indexes_total", "counter", "Indexes, whose manifests are decided one by one.", indexes);
    page.single("gone_total", "counter", "Uploads that the registry did not have any more.", gone);
    page.single("failures_total", "counter", "Attempts that failed and are made again.", failures);
    page.single("fetched_bytes_total", "counter", "Bytes of layers that were fetched.", bytes);
    page.describe("policy_reads_total", "counter", "Readings of a policy that changed.");
    page.value("policy_reads_total", "{result=\"taken\"}", policy_read);
    page.value("policy_reads_total", "{result=\"refused\"}", policy_refused);
    page.single("policy_valid", "gauge", "Whether the policy in force is what its file has.",
                policy_valid ? 1 : 0);
    page.single("resident_bytes", "gauge", "Memory of the process.", resident_bytes());
    return page.take();
}

}  // namespace modelseal::hook
