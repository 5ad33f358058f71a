// A file on a web server, of which only the parts are fetched that are read: by ranges (RFC 9110, section 14).
//
// What the server says is held against itself: every part must be the one that was asked for, of a file of one size and one entity tag.
// So a file that is replaced meanwhile is an error, not a mixture. What a hostile server can make a caller fetch is bounded by RangeCaps.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "http/client.h"
#include <modelseal/format.h>

namespace modelseal::http {

struct RangeCaps {
    std::uint64_t bytes = 512u << 20;  // that are fetched of a file, all requests together
    std::uint64_t requests = 20'000;
    std::uint64_t kept = 64u << 20;  // bytes that are held in memory, for what is read again
};

// Secrets of a request go to the origin of its address alone.
struct RangeRequest {
    Url url;
    std::string authorization = {};
    Fields own = {};
    // An Error (unreadable) ends what is read later.
    std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::max();
};

class RangeSource final : public Source {
  public:
    // Fetches the beginning. ErrorKind::unsupported for a server that ignores ranges, unless the file is small, or that does not say how
    // long the file is; malformed for one that contradicts itself; unreadable for one that answers anything but a file.
    static Result<std::unique_ptr<RangeSource>> open(Client client, RangeRequest request,
                                                     const RangeCaps& caps = {});
    ~RangeSource() override;
    RangeSource(const RangeSource&) = delete;
    RangeSource& operator=(const RangeSource&) = delete;

    const std::string& name() const override;  // the address without its query, which may hold a secret
    std::uint64_t size() const override;
    // ErrorKind::unsupported above a cap. Thread-safe; one request at a time.
    Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override;

    std::uint64_t fetched() const;  // bytes so far

  private:
    struct State;
    explicit RangeSource(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace modelseal::http
