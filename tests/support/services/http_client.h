// A client that does not wait long, for servers of a test.
#pragma once

#include <cstdlib>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>

#include "http/client.h"
#include "tests/support/services/http_server.h"

namespace modelseal::test {

inline http::ClientOptions hasty() {
    return {.stall = std::chrono::seconds(1),
            .total = std::chrono::milliseconds(20'000),
            .retries = 2,
            .backoff = std::chrono::milliseconds(2)};
}

inline http::Client client_with(const http::ClientOptions& options = hasty()) {
    return http::Client::open(options).value();
}

inline http::Url at(const HttpServer& server, const std::string& path = "/",
                    const std::string& host = "127.0.0.1") {
    return http::Url::parse(server.url(path, host)).value();
}

// Variables of the environment, as they were again at the end.
class Variables {
  public:
    Variables(std::initializer_list<std::pair<const char*, std::string>> values) {
        for (const auto& [name, value] : values) {
            const char* before = std::getenv(name);
            before_[name] = before == nullptr ? "" : before;
            ::setenv(name, value.c_str(), 1);
        }
    }
    ~Variables() {
        for (const auto& [name, value] : before_)
            value.empty() ? ::unsetenv(name.c_str()) : ::setenv(name.c_str(), value.c_str(), 1);
    }
    Variables(const Variables&) = delete;
    Variables& operator=(const Variables&) = delete;

  private:
    std::map<std::string, std::string> before_;
};

}  // namespace modelseal::test
