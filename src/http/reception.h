// The answer of a transfer while it comes in: what libcurl calls with each line of its head and each part of its body.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/transfer.h"

namespace modelseal::http {

// What the callbacks of a transfer work on.
struct Reception {
    Exchange& exchange;
    Response& response;
    const std::atomic<bool>* stop = nullptr;
    std::optional<Error> error = {};  // why a callback ended the transfer
    bool cut_short = false;           // the rest of the body is not wanted
    std::size_t header_bytes = 0;
    std::uint64_t skip = 0;  // bytes of the body that were delivered before
    bool begun = false;      // the body
    bool head_ended = false;
    unsigned interim = 0;  // answers before the one that counts

    bool to_sink() const {
        return exchange.sink != nullptr && (response.status == 200 || response.status == 206);
    }
};

// "https://host: WHAT".
Error about(const Exchange& exchange, ErrorKind kind, std::string_view what, std::string hint = {});

// For CURLOPT_HEADERFUNCTION, CURLOPT_WRITEFUNCTION and CURLOPT_XFERINFOFUNCTION; `user` is a Reception.
std::size_t on_header(char* data, std::size_t one, std::size_t size, void* user);
std::size_t on_body(char* data, std::size_t one, std::size_t size, void* user);
int on_progress(void* user, std::int64_t, std::int64_t, std::int64_t, std::int64_t);

}  // namespace modelseal::http
