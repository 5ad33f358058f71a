// What the codes of libcurl mean to a user, and whether the same request may succeed later.
#pragma once

#include <string_view>

#include "http/libcurl.h"
#include "http/transfer.h"

namespace modelseal::http {

// What was found out about a transfer that failed.
struct Failed {
    CURLcode code = CURLE_OK;
    std::string_view detail = {};  // libcurl's own words, or empty
    int os_error = 0;              // errno, if the connection could not be made
    long proxy_status = 0;         // what a proxy answered when it was asked for a tunnel
    bool attempt_ended = false;    // ClientOptions::attempt
    bool answered = false;         // by at least a part of a head
    bool head_ended = false;
};

TransferFailure failure_of(const Failed& failed, const Exchange& exchange, const ClientOptions& options);

}  // namespace modelseal::http
