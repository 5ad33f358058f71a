#include "http/transfer.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "http/failure.h"
#include "http/libcurl.h"
#include "http/option_files.h"
#include "http/peer.h"
#include "http/reception.h"

namespace modelseal::http {
namespace {

using List = std::unique_ptr<curl_slist, decltype([](curl_slist* list) { libcurl().slist_free_all(list); })>;

// No value may end its line and begin another.
bool is_header_text(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 && byte != 0x7F;
    });
}

bool add_field(List& list, const std::string& name, const std::string& value) {
    if (!is_header_text(name) || !is_header_text(value)) return false;
    // "Name;" is how libcurl is asked to send an empty value.
    const auto line = value.empty() ? name + ";" : name + ": " + value;
    auto* const longer = libcurl().slist_append(list.get(), line.c_str());
    if (longer == nullptr) return false;
    static_cast<void>(list.release());
    list.reset(longer);
    return true;
}

std::optional<List> header_list(const Exchange& exchange) {
    const auto& request = exchange.request;
    List list;
    bool fine = true;
    for (const auto& [name, value] : request.fields) fine = fine && add_field(list, name, value);
    if (exchange.secrets == Exchange::Secrets::sent) {
        for (const auto& [name, value] : request.own) fine = fine && add_field(list, name, value);
        if (!request.authorization.empty())
            fine = fine && add_field(list, "Authorization", request.authorization);
    }
    if (!request.media_type.empty()) fine = fine && add_field(list, "Content-Type", request.media_type);
    if (exchange.delivered > 0) {
        fine = fine && add_field(list, "Range", fmt::format("bytes={}-", exchange.delivered));
        if (!exchange.validator.empty()) fine = fine && add_field(list, "If-Range", exchange.validator);
    }
    if (!fine) return std::nullopt;
    // Headers that libcurl would add by itself: a name without a value removes them.
    for (const char* removed : {"Expect:", request.media_type.empty() ? "Content-Type:" : nullptr}) {
        if (removed == nullptr) continue;
        auto* const longer = libcurl().slist_append(list.get(), removed);
        if (longer == nullptr) return std::nullopt;
        static_cast<void>(list.release());
        list.reset(longer);
    }
    return list;
}

bool has_secrets(const Exchange& exchange) {
    const auto& request = exchange.request;
    return exchange.secrets == Exchange::Secrets::sent &&
           !(request.authorization.empty() && request.own.empty());
}

}  // namespace

// What on_connected() works on.
struct Transfer::Connected {
    CURL* curl;
    Reception& reception;
    bool secrets;  // the request has some
};

struct Transfer::State {
    ClientOptions options;
    CURL* curl = nullptr;
    char detail[CURL_ERROR_SIZE] = {};

    ~State() { libcurl().easy_cleanup(curl); }

    template <class Value>
    void set(CURLoption option, Value value) {
        libcurl().easy_setopt(curl, option, value);
    }

    void set_always(Reception& reception) {
        set(CURLOPT_ERRORBUFFER, detail);
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_PROTOCOLS_STR, "http,https");
        set(CURLOPT_FOLLOWLOCATION, 0L);
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        set(CURLOPT_SSL_VERIFYPEER, 1L);
        set(CURLOPT_SSL_VERIFYHOST, 2L);
        set(CURLOPT_USERAGENT, "modelseal");
        set(CURLOPT_TCP_KEEPALIVE, 1L);
        set(CURLOPT_LOW_SPEED_LIMIT, 1L);
        set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall.count()));
        set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect.count()));
        if (!options.ca_file.empty()) {
            set(CURLOPT_CAINFO, options.ca_file.c_str());
            set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
        }
        set(CURLOPT_HEADERFUNCTION, &on_header);
        set(CURLOPT_HEADERDATA, &reception);
        set(CURLOPT_WRITEFUNCTION, &on_body);
        set(CURLOPT_WRITEDATA, &reception);
        set(CURLOPT_NOPROGRESS, 0L);
        set(CURLOPT_XFERINFOFUNCTION, &on_progress);
        set(CURLOPT_XFERINFODATA, &reception);
        if (options.packed == Packed::unpacked) set(CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    }

    void set_proxy(const Url& url) {
        // A proxy would see what may go to this machine alone.
        if (url.is_loopback()) {
            set(CURLOPT_PROXY, "");
            return;
        }
        // libcurl takes http_proxy in lower case alone, because a web server gives its programs the header field Proxy as
        // HTTP_PROXY. Such a program has a REQUEST_METHOD.
        const auto given = [](const char* name) {
            const char* value = std::getenv(name);
            return value != nullptr && *value != '\0' ? value : nullptr;
        };
        const char* proxy = given("HTTP_PROXY");
        if (!url.is_tls() && proxy != nullptr && given("http_proxy") == nullptr &&
            given("REQUEST_METHOD") == nullptr)
            set(CURLOPT_PROXY, proxy);
    }

    void set_client_certificate() {
        if (options.client_cert.empty()) return;
        set(CURLOPT_SSLCERT, options.client_cert.c_str());
        set(CURLOPT_SSLKEY, (options.client_key.empty() ? options.client_cert : options.client_key).c_str());
        // Without one, OpenSSL would ask for it on the terminal.
        set(CURLOPT_KEYPASSWD, options.client_key_passphrase.c_str());
    }

    std::chrono::milliseconds limit_of(const Exchange& exchange) const {
        return options.attempt.count() > 0 ? std::min(options.attempt, exchange.limit) : exchange.limit;
    }

    bool attempt_ended(const Exchange& exchange, std::chrono::steady_clock::duration taken) const {
        // libcurl counts in milliseconds, and may stop one of them early.
        return options.attempt.count() > 0 && options.attempt < exchange.limit &&
               taken + std::chrono::milliseconds(2) >= options.attempt;
    }

    void set_request(const Exchange& exchange, const List& headers) {
        const auto& request = exchange.request;
        set(CURLOPT_URL, exchange.url.text().c_str());
        set(CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(limit_of(exchange).count())));
        set(CURLOPT_HTTPHEADER, headers.get());
        set_proxy(exchange.url);
        if (exchange.secrets == Exchange::Secrets::sent) set_client_certificate();
        const bool login = exchange.secrets == Exchange::Secrets::sent && request.authorization.empty() &&
                           !options.netrc.empty() && may_carry_secrets(exchange.url);
        set(CURLOPT_NETRC, static_cast<long>(login ? CURL_NETRC_OPTIONAL : CURL_NETRC_IGNORED));
        if (login) set(CURLOPT_NETRC_FILE, options.netrc.c_str());
        switch (request.method) {
            case Method::get:
                set(CURLOPT_HTTPGET, 1L);
                return;
            case Method::head:
                set(CURLOPT_NOBODY, 1L);
                return;
            case Method::put:
            case Method::post:
                set(CURLOPT_POST, 1L);
                set(CURLOPT_POSTFIELDS, request.body.data());
                set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
                if (request.method == Method::put) set(CURLOPT_CUSTOMREQUEST, "PUT");
                return;
            case Method::del:
                set(CURLOPT_CUSTOMREQUEST, "DELETE");
                return;
        }
    }
};

// For CURLOPT_PREREQFUNCTION: the last word before anything is sent.
int Transfer::on_connected(void* user, char* address, char*, int, int) {
    auto& connected = *static_cast<Connected*>(user);
    auto& reception = connected.reception;
    const auto& url = reception.exchange.url;
    if (url.is_tls() && !certificate_names(connected.curl, url)) {
        reception.error = about(reception.exchange, ErrorKind::unreadable,
                                "its certificate is not accepted: it does not name the server as a subject "
                                "alternative name");
    } else if (!url.is_tls() && connected.secrets && url.is_loopback() && !is_loopback_address(address)) {
        // The name says so; the address must as well.
        reception.error = about(reception.exchange, ErrorKind::unreadable,
                                "is not this machine, and secrets are not sent there unencrypted");
    }
    return reception.error ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

Transfer::Transfer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Transfer::~Transfer() = default;

Result<std::unique_ptr<Transfer>> Transfer::open(const ClientOptions& options) {
    MODELSEAL_TRY(load_libcurl());
    MODELSEAL_TRY(check_files(options));
    auto state = std::make_unique<State>();
    state->options = options;
    state->curl = libcurl().easy_init();
    if (state->curl == nullptr) return Error{ErrorKind::unreadable, "not enough memory for a connection", {}};
    return std::unique_ptr<Transfer>(new Transfer(std::move(state)));
}

std::optional<TransferFailure> Transfer::run(Exchange& exchange, Response& response) {
    response = {.url = exchange.url};
    const auto headers = header_list(exchange);
    if (!headers) {
        return TransferFailure{about(exchange, ErrorKind::malformed, "a header would have a control character"),
                               false};
    }
    Reception reception{.exchange = exchange, .response = response, .stop = state_->options.stop};
    auto* const curl = state_->curl;
    libcurl().easy_reset(curl);  // keeps connections
    state_->detail[0] = '\0';
    state_->set_always(reception);
    state_->set_request(exchange, *headers);
    Connected connected{curl, reception, has_secrets(exchange)};
    state_->set(CURLOPT_PREREQFUNCTION, &on_connected);
    state_->set(CURLOPT_PREREQDATA, &connected);
    const auto begin = std::chrono::steady_clock::now();
    Failed failed{.code = libcurl().easy_perform(curl)};
    const auto detail = std::string(state_->detail);
    failed.detail = detail;
    failed.answered = reception.header_bytes > 0;
    failed.head_ended = reception.head_ended;
    failed.attempt_ended = state_->attempt_ended(exchange, std::chrono::steady_clock::now() - begin);
    long os_error = 0;
    libcurl().easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_error);
    libcurl().easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &failed.proxy_status);
    failed.os_error = static_cast<int>(os_error);
    // The list of headers and the reception end here.
    libcurl().easy_reset(curl);
    if (reception.cut_short || (failed.code == CURLE_OK && reception.head_ended)) return std::nullopt;
    if (reception.error) return TransferFailure{std::move(*reception.error), false};
    return failure_of(failed, exchange, state_->options);
}

}  // namespace modelseal::http
