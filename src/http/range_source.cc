#include "http/range_source.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <optional>

#include <fmt/format.h>

#include "http/content_range.h"
#include "util/text.h"

namespace modelseal::http {
namespace {

constexpr std::uint64_t kPage = 64u << 10;     // fetched and kept together
constexpr std::uint64_t kMostPages = 256;      // of one request: 16 MiB
constexpr std::uint64_t kMostRead = 1u << 30;  // of one read: the caller allocated them

std::string name_of(const Url& url) {
    return url.origin() + url.path();
}

// What tells one state of a file from another; empty if the server names nothing.
std::string validator_of(const Response& response) {
    const auto tag = response.field("etag");
    return std::string(tag.empty() ? response.field("last-modified") : tag);
}

}  // namespace

struct RangeSource::State {
    Client client;
    RangeRequest request;
    RangeCaps caps;
    std::string name, validator = {};
    std::uint64_t size = 0, requests = 0, fetched = 0;
    std::mutex mutex = {};
    std::map<std::uint64_t, std::string> pages = {};  // by number
    std::deque<std::uint64_t> oldest = {};            // of `pages`, in the order in which they came

    Error error(ErrorKind kind, std::string_view what, std::string hint = {}) const {
        return {kind, fmt::format("{}: {}", name, what), std::move(hint)};
    }

    Result<Response> ask(std::uint64_t first, std::uint64_t last) {
        const auto count = last - first + 1;
        if (++requests > caps.requests || fetched + count > caps.bytes) {
            return error(ErrorKind::unsupported,
                         fmt::format("more than {} or {} of it would have to be fetched",
                                     util::counted(caps.requests, "part"), util::counted(caps.bytes, "byte")),
                         "download the file");
        }
        Request part{
            .url = request.url,
            .fields = {{"Range", fmt::format("bytes={}-{}", first, last)}, {"Accept-Encoding", "identity"}},
            .authorization = request.authorization,
            .own = request.own,
            .max_body = count,
            .overlong = Overlong::cut_off};
        if (request.until != std::chrono::steady_clock::time_point::max()) part.until = request.until;
        MODELSEAL_TRY_ASSIGN(auto response, client.send(part));
        fetched += response.body.size();
        const auto encoding = response.field("content-encoding");
        if (response.is_success() && !encoding.empty() && encoding != "identity")
            return error(ErrorKind::unsupported, "the server packs the file, so its ranges are not the file's");
        return response;
    }

    Error refusal(const Response& response) const {
        return error(ErrorKind::unreadable, fmt::format("the server answers with status {}", response.status));
    }
    Error ignores_ranges() const {
        return error(ErrorKind::unsupported,
                     "the server ignores ranges, and sends the complete file instead of a part",
                     "download the file");
    }

    // The part of a response, compared with what was asked for and with the parts before it.
    Result<ContentRange> part_of(const Response& response, std::uint64_t first, std::uint64_t last) const {
        if (response.status == 200) return ignores_ranges();
        if (response.status != 206) return refusal(response);
        const auto range = parse_content_range(response.field("content-range"));
        if (!range || !range->size) {
            return error(ErrorKind::unsupported, "the server sends a part and not which, or of how long a file",
                         "download the file");
        }
        if (range->first != first || range->last > last || range->last != std::min(last, *range->size - 1))
            return error(ErrorKind::malformed, "the server sends another part than was asked for");
        if (response.over_cap || response.body.size() != range->last - range->first + 1)
            return error(ErrorKind::malformed, "the server sends more or less of a part than it says");
        return *range;
    }

    std::uint64_t kept_pages() const { return std::max<std::uint64_t>(2, caps.kept / kPage); }

    void keep(std::uint64_t page, std::string_view bytes) {
        if (!pages.emplace(page, std::string(bytes)).second) return;
        oldest.push_back(page);
        if (oldest.size() <= kept_pages()) return;
        pages.erase(oldest.front());
        oldest.pop_front();
    }

    void keep_part(std::uint64_t first_page, std::string_view bytes) {
        for (std::uint64_t i = 0; i * kPage < bytes.size(); ++i)
            keep(first_page + i, bytes.substr(i * kPage, kPage));
    }

    Result<void> open() {
        MODELSEAL_TRY_ASSIGN(const auto response, ask(0, kPage - 1));
        validator = validator_of(response);
        if (response.status == 416) return error(ErrorKind::unsupported, "is empty");
        // Small enough to be fetched at once.
        if (response.status == 200 && !response.over_cap) {
            size = response.body.size();
            keep(0, response.body);
            return {};
        }
        MODELSEAL_TRY_ASSIGN(const auto range, part_of(response, 0, kPage - 1));
        size = *range.size;
        keep(0, response.body);
        return {};
    }

    Result<std::string> fetch(std::uint64_t first_page, std::uint64_t last_page) {
        const auto first = first_page * kPage, last = std::min(size, (last_page + 1) * kPage) - 1;
        MODELSEAL_TRY_ASSIGN(auto response, ask(first, last));
        MODELSEAL_TRY_ASSIGN(const auto range, part_of(response, first, last));
        if (range.size != size || validator_of(response) != validator)
            return error(ErrorKind::unreadable, "changed while it was read",
                         "try again when nobody writes to it");
        return std::move(response.body);
    }

    Result<void> read(std::uint64_t offset, std::span<std::byte> out) {
        for (std::uint64_t done = 0; done < out.size();) {
            const auto at = offset + done, page = at / kPage;
            auto found = pages.find(page);
            if (found == pages.end()) {
                // As many as are wanted and not here, but less than are kept.
                const auto end = std::min((offset + out.size() - 1) / kPage,
                                          page + std::min(kMostPages, kept_pages() / 2) - 1);
                auto last = page;
                while (last < end && !pages.contains(last + 1)) ++last;
                MODELSEAL_TRY_ASSIGN(const auto bytes, fetch(page, last));
                keep_part(page, bytes);
                found = pages.find(page);
            }
            const auto in_page = static_cast<std::size_t>(at % kPage);
            const auto count = std::min<std::uint64_t>(found->second.size() - in_page, out.size() - done);
            std::ranges::copy(std::as_bytes(std::span(found->second)).subspan(in_page, count),
                              out.begin() + static_cast<std::ptrdiff_t>(done));
            done += count;
        }
        return {};
    }
};

RangeSource::RangeSource(std::unique_ptr<State> state) : state_(std::move(state)) {}
RangeSource::~RangeSource() = default;

Result<std::unique_ptr<RangeSource>> RangeSource::open(Client client, RangeRequest request,
                                                       const RangeCaps& caps) {
    auto name = name_of(request.url);
    std::unique_ptr<State> state(new State{
        .client = std::move(client), .request = std::move(request), .caps = caps, .name = std::move(name)});
    MODELSEAL_TRY(state->open());
    return std::unique_ptr<RangeSource>(new RangeSource(std::move(state)));
}

const std::string& RangeSource::name() const {
    return state_->name;
}

std::uint64_t RangeSource::size() const {
    return state_->size;
}

std::uint64_t RangeSource::fetched() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->fetched;
}

Result<void> RangeSource::read(std::uint64_t offset, std::span<std::byte> out) const {
    if (out.empty()) return {};
    const std::scoped_lock lock(state_->mutex);
    if (out.size() > kMostRead || offset > state_->size || out.size() > state_->size - offset) {
        return state_->error(ErrorKind::unreadable,
                             fmt::format("has no {} at {}", util::counted(out.size(), "byte"), offset));
    }
    return state_->read(offset, out);
}

}  // namespace modelseal::http
