#include "http/reception.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "http/content_range.h"
#include "http/field_text.h"
#include "util/text.h"

namespace modelseal::http {
namespace {

constexpr std::size_t kMostHeaderBytes = 256u << 10, kMostFields = 500;
constexpr unsigned kMostInterim = 8;  // answers with status 1xx
// Of a response without success: what is beyond it is of no use.
constexpr std::size_t kMostErrorBody = 64u << 10;

void take_status(Reception& reception, std::string_view line) {
    reception.head_ended = false;
    reception.response.fields.clear();
    reception.response.status = 0;
    const auto space = line.find(' ');
    if (space == std::string_view::npos) return;
    const auto digits = line.substr(space + 1, 3);
    std::from_chars(digits.data(), digits.data() + digits.size(), reception.response.status);
}

// The first bytes of a body that goes to the sink: is it the part that is missing, or everything from the front?
bool begin_body(Reception& reception) {
    reception.begun = true;
    const auto delivered = reception.exchange.delivered;
    if (!reception.to_sink() || delivered == 0) return true;
    if (reception.response.status == 200) {
        reception.skip = delivered;
        return true;
    }
    const auto range = parse_content_range(reception.response.field("content-range"));
    if (range && range->first == delivered) return true;
    reception.error = about(reception.exchange, ErrorKind::malformed, "sends another part than was asked for");
    return false;
}

bool deliver(Reception& reception, std::span<const std::byte> bytes) {
    const auto skipped = std::min<std::uint64_t>(reception.skip, bytes.size());
    reception.skip -= skipped;
    bytes = bytes.subspan(static_cast<std::size_t>(skipped));
    if (bytes.empty()) return true;
    if (auto taken = (*reception.exchange.sink)(bytes); !taken.ok()) {
        reception.error = std::move(taken).error();
        return false;
    }
    reception.exchange.delivered += bytes.size();
    return true;
}

// Ends the transfer, as the request asks for.
void refuse_body(Reception& reception) {
    const auto& request = reception.exchange.request;
    if (!reception.response.is_success()) {
        reception.cut_short = true;
    } else if (request.overlong == Overlong::cut_off) {
        reception.cut_short = reception.response.over_cap = true;
    } else {
        reception.error =
            about(reception.exchange, ErrorKind::malformed,
                  fmt::format("the answer has more than {}", util::counted(request.max_body, "byte")));
    }
}

// An interim answer is followed by another one; a length that is announced need not be received to be refused.
bool end_head(Reception& reception) {
    const auto& request = reception.exchange.request;
    reception.head_ended = reception.response.status >= 200;
    if (!reception.head_ended && ++reception.interim > kMostInterim) {
        reception.error = about(reception.exchange, ErrorKind::malformed, "sends too many interim responses");
        return false;
    }
    if (request.method == Method::head || reception.to_sink() || !reception.response.is_success()) return true;
    const auto stated = reception.response.field("content-length");
    std::uint64_t length = 0;
    std::from_chars(stated.data(), stated.data() + stated.size(), length);
    if (length <= request.max_body) return true;
    refuse_body(reception);
    return false;
}

}  // namespace

Error about(const Exchange& exchange, ErrorKind kind, std::string_view what, std::string hint) {
    return {kind, fmt::format("{}: {}", exchange.url.origin(), what), std::move(hint)};
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
    auto& reception = *static_cast<Reception*>(user);
    const std::string_view line(data, size);
    reception.header_bytes += size;
    if (line.starts_with("HTTP/")) {
        take_status(reception, line);
        return size;
    }
    if (reception.header_bytes > kMostHeaderBytes || reception.response.fields.size() >= kMostFields) {
        reception.error =
            about(reception.exchange, ErrorKind::malformed, "the head of the answer is too large");
        return 0;
    }
    if (trimmed(line).empty()) return end_head(reception) ? size : 0;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return size;
    reception.response.fields.emplace_back(lower_case(line.substr(0, colon)),
                                           std::string(trimmed(line.substr(colon + 1))));
    return size;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
    auto& reception = *static_cast<Reception*>(user);
    if (!reception.begun && !begin_body(reception)) return 0;
    if (reception.to_sink()) {
        if (reception.exchange.delivered + size > reception.exchange.request.max_body + reception.skip) {
            refuse_body(reception);
            return 0;
        }
        return deliver(reception, std::as_bytes(std::span(data, size))) ? size : 0;
    }
    auto& body = reception.response.body;
    if (!reception.response.is_success() && body.size() + size > kMostErrorBody) {
        reception.cut_short = true;
        return 0;
    }
    if (body.size() + size > reception.exchange.request.max_body) {
        refuse_body(reception);
        return 0;
    }
    body.append(data, size);
    return size;
}

int on_progress(void* user, std::int64_t, std::int64_t, std::int64_t, std::int64_t) {
    const auto* stop = static_cast<const Reception*>(user)->stop;
    return stop != nullptr && stop->load() ? 1 : 0;
}

}  // namespace modelseal::http
