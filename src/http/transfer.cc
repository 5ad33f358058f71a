#include "http/transfer.h"

#include <algorithm>
#include <mutex>

#include <curl/curl.h>
#include <fmt/format.h>

#include "http/reception.h"
#include "io/file.h"
#include "util/text.h"

namespace modelseal::http {
namespace {

using List = std::unique_ptr<curl_slist, decltype([](curl_slist* list) { curl_slist_free_all(list); })>;

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
    auto* const longer = curl_slist_append(list.get(), line.c_str());
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
    if (exchange.secrets == Exchange::Secrets::sent && !request.authorization.empty())
        fine = fine && add_field(list, "Authorization", request.authorization);
    if (!request.media_type.empty()) fine = fine && add_field(list, "Content-Type", request.media_type);
    if (exchange.delivered > 0) {
        fine = fine && add_field(list, "Range", fmt::format("bytes={}-", exchange.delivered));
        if (!exchange.validator.empty()) fine = fine && add_field(list, "If-Range", exchange.validator);
    }
    if (!fine) return std::nullopt;
    // Headers that libcurl would add by itself: a name without a value removes them.
    for (const char* removed : {"Expect:", request.media_type.empty() ? "Content-Type:" : nullptr}) {
        if (removed == nullptr) continue;
        auto* const longer = curl_slist_append(list.get(), removed);
        if (longer == nullptr) return std::nullopt;
        static_cast<void>(list.release());
        list.reset(longer);
    }
    return list;
}

constexpr const char* kBroken = "the connection was closed before the answer was complete";

TransferFailure failure_of(CURLcode code, const char* detail, const Exchange& exchange,
                           const ClientOptions& options) {
    const auto text = util::printable(*detail != '\0' ? detail : curl_easy_strerror(code));
    const auto fail = [&](bool later, std::string_view what, ErrorKind kind = ErrorKind::unreadable,
                          std::string hint = {}) {
        return TransferFailure{about(exchange, kind, what, std::move(hint)), later};
    };
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
            return fail(true, "host not found");
        case CURLE_COULDNT_RESOLVE_PROXY:
            return fail(true, "its proxy was not found: " + text, ErrorKind::unreadable,
                        "the variables http_proxy, https_proxy and no_proxy decide about proxies");
        case CURLE_COULDNT_CONNECT:
            return fail(true, "cannot connect: " + text);
        case CURLE_OPERATION_TIMEDOUT:
            return fail(true, "no answer in time: " + text);
        case CURLE_PARTIAL_FILE:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_GOT_NOTHING:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
            return fail(true, kBroken);
        case CURLE_SSL_CONNECT_ERROR:
            return fail(true, "the TLS connection failed: " + text);
        case CURLE_PEER_FAILED_VERIFICATION:
            return fail(false, "its certificate is not accepted: " + text, ErrorKind::unreadable,
                        options.ca_file.empty()
                            ? "if the server's certificate is from an authority of its own, "
                              "give the authority's certificate"
                            : "");
        case CURLE_SSL_CACERT_BADFILE:
            return fail(false, "the trusted certificates cannot be read: " + text);
        case CURLE_ABORTED_BY_CALLBACK:
            return fail(false, "the request was ended");
        case CURLE_OUT_OF_MEMORY:
            return fail(true, "not enough memory");
        default:
            return fail(false, "the answer cannot be used: " + text, ErrorKind::malformed);
    }
}

// "default" of netrc(5): a login for every host that has none of its own.
bool has_default_entry(std::string_view text) {
    std::string_view previous;
    while (!text.empty()) {
        const auto begin = text.find_first_not_of(" \t\r\n");
        if (begin == std::string_view::npos) return false;
        text.remove_prefix(begin);
        const auto word = text.substr(0, text.find_first_of(" \t\r\n"));
        text.remove_prefix(word.size());
        const bool value =
            previous == "machine" || previous == "login" || previous == "password" || previous == "account";
        if (word == "default" && !value) return true;
        previous = value ? std::string_view() : word;
    }
    return false;
}

constexpr std::uint64_t kMostNetrcBytes = 1u << 20, kMostCaBytes = 4u << 20;

Result<void> check_files(const ClientOptions& options) {
    if (!options.ca_file.empty()) {
        MODELSEAL_TRY_ASSIGN(const auto pem, io::read_text(options.ca_file, kMostCaBytes));
        if (pem.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
            return Error{ErrorKind::malformed,
                         util::printable(options.ca_file.string()) + ": contains no certificate in PEM",
                         "a certificate in PEM begins with -----BEGIN CERTIFICATE-----"};
        }
    }
    if (options.netrc.empty()) return {};
    MODELSEAL_TRY_ASSIGN(const auto logins, io::read_text(options.netrc, kMostNetrcBytes));
    if (!has_default_entry(logins)) return {};
    return Error{
        ErrorKind::usage,
        util::printable(options.netrc.string()) + ": has an entry 'default', which would go to any server",
        "give each login with the name of its machine"};
}

}  // namespace

struct Transfer::State {
    ClientOptions options;
    CURL* curl = nullptr;
    char detail[CURL_ERROR_SIZE] = {};

    ~State() { curl_easy_cleanup(curl); }

    template <class Value>
    void set(CURLoption option, Value value) {
        curl_easy_setopt(curl, option, value);
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
    }

    void set_request(const Exchange& exchange, const List& headers) {
        const auto& request = exchange.request;
        set(CURLOPT_URL, exchange.url.text().c_str());
        set(CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(exchange.limit.count())));
        set(CURLOPT_HTTPHEADER, headers.get());
        // A proxy would see what may go to this machine alone.
        if (exchange.url.is_loopback()) set(CURLOPT_PROXY, "");
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

Transfer::Transfer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Transfer::~Transfer() = default;

Result<std::unique_ptr<Transfer>> Transfer::open(const ClientOptions& options) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    MODELSEAL_TRY(check_files(options));
    auto state = std::make_unique<State>();
    state->options = options;
    state->curl = curl_easy_init();
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
    curl_easy_reset(state_->curl);  // keeps connections
    state_->detail[0] = '\0';
    state_->set_always(reception);
    state_->set_request(exchange, *headers);
    const auto code = curl_easy_perform(state_->curl);
    // The list of headers and the reception end here.
    const auto detail = std::string(state_->detail);
    curl_easy_reset(state_->curl);
    if (code == CURLE_OK || reception.cut_short) return std::nullopt;
    if (reception.error) return TransferFailure{std::move(*reception.error), false};
    return failure_of(code, detail.c_str(), exchange, state_->options);
}

}  // namespace modelseal::http
