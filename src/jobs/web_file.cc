#include "jobs/web_file.h"

#include "http/range_source.h"
#include "oracle/credentials.h"

namespace modelseal::jobs {

Result<std::unique_ptr<Source>> open_web_file(const std::string& url, const EndpointOptions& options) {
    MODELSEAL_TRY_ASSIGN(auto address, http::Url::parse(url));
    MODELSEAL_TRY(oracle::may_carry(address, options));
    const std::chrono::seconds each(options.timeout_s), total(options.max_seconds);
    MODELSEAL_TRY_ASSIGN(auto client,
                         http::Client::open({.ca_file = options.ca_file,
                                             .client_cert = options.client_cert,
                                             .client_key = options.client_key,
                                             .client_key_passphrase = options.client_key_passphrase,
                                             .connect = each,
                                             .stall = each,
                                             .total = total,
                                             .attempt = each,
                                             .retries = options.retries,
                                             .notice = options.notice}));
    http::RangeRequest request{.url = std::move(address),
                               .authorization = options.token.empty() ? "" : "Bearer " + options.token,
                               .own = options.headers,
                               .until = std::chrono::steady_clock::now() + total};
    MODELSEAL_TRY_ASSIGN(auto source, http::RangeSource::open(std::move(client), std::move(request)));
    return std::unique_ptr<Source>(std::move(source));
}

}  // namespace modelseal::jobs
