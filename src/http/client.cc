#include "http/client.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "http/retry.h"
#include "http/transfer.h"
#include "util/text.h"

namespace modelseal::http {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kMostShown = 300;  // bytes of what a server says

bool is_redirect(unsigned status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// A validator that promises the same bytes (RFC 9110, section 8.8.3).
std::string strong_validator(const Response& response) {
    const auto tag = response.field("etag");
    return tag.starts_with('"') ? std::string(tag) : std::string();
}

}  // namespace

struct Client::State {
    ClientOptions options;
    std::unique_ptr<Transfer> transfer;

    bool may_pass(unsigned status) const {
        return std::ranges::find(options.passing, status) != options.passing.end();
    }
    bool stopped() const { return options.stop != nullptr && options.stop->load(); }
    Result<Response> perform(const Request& request, const Sink* sink);
    Result<void> follow(const Request& request, Exchange& exchange, const Response& response,
                        unsigned followed) const;
    struct End;
    End end_of(const Request& request) const;
    Result<void> pause(const Exchange& exchange, milliseconds wait, const End& end,
                       const std::string& why) const;
};

// The time until which all tries of a request must have come to an end.
struct Client::State::End {
    Clock::time_point time;
    bool of_request;  // not of the options

    Error error(const std::string& why) const {
        return {ErrorKind::unreadable, fmt::format("{}; the time for this request is over", why),
                of_request ? "allow more time" : "", of_request ? Remedy::allow_more_time : Remedy::none};
    }
    // libcurl counts in milliseconds, and may stop one of them early.
    bool is_over() const { return Clock::now() + milliseconds(20) >= time; }
};

// Goes to where a redirect leads. Secrets stay with the origin of the request: once it was left, also on a way back.
Result<void> Client::State::follow(const Request& request, Exchange& exchange, const Response& response,
                                   unsigned followed) const {
    const auto from = exchange.url.origin();
    const auto refused = [&](std::string_view why) {
        const auto where = util::printable(response.field("location").substr(0, kMostShown));
        return Error{ErrorKind::malformed, fmt::format("{}: redirects to '{}', {}", from, where, why),
                     "if that is the right server, give that address"};
    };
    const bool reads = request.method == Method::get || request.method == Method::head;
    const bool keeps_host = options.redirected == Redirects::same_host;
    const bool keeps_body = response.status == 307 || response.status == 308;
    if (!reads && !(keeps_host && keeps_body)) return refused("which is followed for reading alone");
    if (followed >= options.redirects) return refused("the last of too many redirects");
    const auto target = exchange.url.resolve(response.field("location"));
    if (!target.ok()) return refused(target.error().message);
    if (exchange.url.is_tls() && !target->is_tls()) return refused("which is not encrypted, and not followed");
    if (keeps_host && target->host() != request.url.host())
        return refused("another server, which is not followed");
    if (target->origin() != request.url.origin()) exchange.secrets = Exchange::Secrets::kept;
    exchange.url = *target;
    return {};
}

Client::State::End Client::State::end_of(const Request& request) const {
    const auto own = Clock::now() + options.total;
    const bool of_request = request.until && *request.until <= own;
    return {of_request ? *request.until : own, of_request};
}

Result<void> Client::State::pause(const Exchange& exchange, milliseconds wait, const End& last,
                                  const std::string& why) const {
    const auto end = Clock::now() + wait;
    if (end >= last.time) return last.error(why);
    if (options.notice) {
        options.notice(fmt::format("{}; trying {} again in {:.1f} s", why, exchange.url.origin(),
                                   static_cast<double>(wait.count()) / 1000));
    }
    while (Clock::now() < end) {
        if (stopped()) return Error{ErrorKind::unreadable, "the request was ended", {}};
        std::this_thread::sleep_for(std::min<Clock::duration>(milliseconds(50), end - Clock::now()));
    }
    return {};
}

Result<Response> Client::State::perform(const Request& request, const Sink* sink) {
    const auto end = end_of(request);
    Exchange exchange{.request = request, .url = request.url, .secrets = Exchange::Secrets::sent, .sink = sink};
    unsigned followed = 0, retries = 0;
    while (true) {
        exchange.limit = std::chrono::ceil<milliseconds>(end.time - Clock::now());
        if (exchange.limit.count() <= 0) return end.error(exchange.url.origin() + ": no answer");
        const auto before = exchange.delivered;
        Response response;
        const auto failure = transfer->run(exchange, response);
        if (!failure && is_redirect(response.status)) {
            MODELSEAL_TRY(follow(request, exchange, response, followed++));
            continue;
        }
        if (failure && end.is_over()) return end.error(failure->error.message);
        if (failure && !failure->later) return failure->error;
        if (!failure && !may_pass(response.status)) return response;
        // A body that goes on, however slowly, is not a failure: the deadline is its limit.
        if (exchange.delivered > before) retries = 0;
        if (retries == options.retries) {
            if (failure) return failure->error;
            return response;
        }
        if (failure && response.is_success()) exchange.validator = strong_validator(response);
        const auto why =
            failure ? failure->error.message : exchange.url.origin() + ": " + answer_text(response);
        const auto asked = failure ? std::nullopt : retry_after(response.field("retry-after"));
        MODELSEAL_TRY(pause(exchange, asked.value_or(wait_before(retries, options.backoff)), end, why));
        ++retries;
        // Where storage sent us may have been for a short time only: the server is asked again.
        exchange.url = request.url;
        exchange.secrets = Exchange::Secrets::sent;
        followed = 0;
    }
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&& other) noexcept = default;
Client& Client::operator=(Client&& other) noexcept = default;
Client::~Client() = default;

Result<Client> Client::open(ClientOptions options) {
    auto state = std::make_unique<State>();
    MODELSEAL_TRY_ASSIGN(state->transfer, Transfer::open(options));
    state->options = std::move(options);
    return Client(std::move(state));
}

Result<Response> Client::send(const Request& request) {
    return state_->perform(request, nullptr);
}

Result<Response> Client::fetch(const Request& request, const Sink& sink) {
    auto response = state_->perform(request, &sink);
    if (response.ok() && response->status == 206) response->status = 200;  // the rest of it
    return response;
}

std::string_view Response::field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
        if (key == name) return value;
    }
    return {};
}

std::string answer_text(const Response& response) {
    auto body = std::string_view(response.body).substr(0, kMostShown);
    while (!body.empty() && (body.back() == '\n' || body.back() == '\r' || body.back() == ' '))
        body.remove_suffix(1);
    const auto status = fmt::format("answers with status {}", response.status);
    return body.empty() ? status : fmt::format("{}: {}", status, util::printable(body));
}

}  // namespace modelseal::http
