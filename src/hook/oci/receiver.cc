#include "hook/oci/receiver.h"

#include <array>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>  // for Asio 1.74, which forgets it
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::hook {
namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using asio::ip::tcp;
using boost::beast::error_code;

constexpr std::uint32_t kMostHead = 16u << 10;
constexpr std::size_t kMostLingering = 64u << 20;
constexpr std::chrono::seconds kLingering{2};

using Parser = beast_http::request_parser<beast_http::string_body>;
using Reply = beast_http::response<beast_http::string_body>;

// What connections share with the receiver.
struct Shared {
    ReceiverOptions options;
    Receiver::Handler handler;
    Receiver::HeadHandler head_handler;
    std::atomic<unsigned> open{0};
    std::atomic<bool> stopping{false};
};

Asked asked_in(Parser& parser) {
    auto& request = parser.get();
    return {std::string(request.method_string()), std::string(request.target()),
            std::string(request[beast_http::field::authorization]), std::move(request.body())};
}

// One connection, which keeps itself alive while something is awaited.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(tcp::socket&& socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) {
        ++shared_.open;
    }
    ~Connection() { --shared_.open; }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void read() {
        parser_.emplace();
        parser_->header_limit(kMostHead);
        parser_->body_limit(shared_.options.max_body);
        stream_.expires_after(shared_.options.patience);
        beast_http::async_read_header(
            stream_, buffer_, *parser_,
            [self = shared_from_this()](error_code code, std::size_t) { self->on_head(code); });
    }

  private:
    bool may_keep() const { return parser_->keep_alive() && !shared_.stopping; }

    void on_head(error_code code) {
        if (code) return on_read(code);
        if (auto answer = shared_.head_handler(asked_in(*parser_))) {
            // What is left of a body would be taken for the next request.
            const bool keep = parser_->is_done() && answer->status != 401 && may_keep();
            return write(std::move(*answer), keep);
        }
        if (parser_->is_done()) return on_read({});
        beast_http::async_read(
            stream_, buffer_, *parser_,
            [self = shared_from_this()](error_code failed, std::size_t) { self->on_read(failed); });
    }

    void on_read(error_code code) {
        if (code == beast_http::error::body_limit || code == beast_http::error::header_limit)
            return write({413, "the request is too large\n"}, false);
        if (code && code.category() == beast_http::make_error_code(beast_http::error::bad_method).category() &&
            code != beast_http::error::end_of_stream && code != beast_http::error::partial_message)
            return write({400, "the request is not valid HTTP\n"}, false);
        if (code) return close();
        write(shared_.handler(asked_in(*parser_)), may_keep());
    }

    void write(Answer answer, bool keep) {
        reply_ = {};
        reply_.version(11);
        reply_.result(answer.status);
        reply_.set(beast_http::field::server, "modelseal");
        reply_.set(beast_http::field::content_type, answer.media_type);
        if (!answer.retry_after.empty()) reply_.set(beast_http::field::retry_after, answer.retry_after);
        if (answer.status == 401) reply_.set(beast_http::field::www_authenticate, "Bearer");
        reply_.body() = std::move(answer.body);
        reply_.keep_alive(keep);
        reply_.prepare_payload();
        // Its length is stated, and nothing is sent.
        if (parser_->get().method() == beast_http::verb::head) reply_.body().clear();
        stream_.expires_after(shared_.options.patience);
        beast_http::async_write(stream_, reply_,
                                [self = shared_from_this(), keep](error_code code, std::size_t) {
                                    if (!code && keep) return self->read();
                                    self->stream_.expires_after(kLingering);  // all of it
                                    self->linger();
                                });
    }

    void close() {
        error_code ignored;
        stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    }

    // A connection that is closed while the other side sends is reset, and the answer may be lost with it: so what still comes
    // is read, up to a limit.
    void linger() {
        close();
        stream_.async_read_some(asio::buffer(rest_),
                                [self = shared_from_this()](error_code code, std::size_t count) {
                                    self->lingered_ += count;
                                    if (!code && self->lingered_ < kMostLingering) self->linger();
                                });
    }

    boost::beast::tcp_stream stream_;
    Shared& shared_;
    boost::beast::flat_buffer buffer_;
    std::optional<Parser> parser_;
    Reply reply_;
    std::array<char, 16384> rest_;
    std::size_t lingered_ = 0;
};

}  // namespace

struct Receiver::State {
    Shared shared;
    asio::io_context io;
    tcp::acceptor acceptor{asio::make_strand(io)};
    std::vector<std::thread> threads;

    void accept() {
        acceptor.async_accept(asio::make_strand(io), [this](error_code code, tcp::socket socket) {
            if (shared.stopping || code == asio::error::operation_aborted) return;
            // Above the limit a connection is closed at once: registries send again.
            if (!code && shared.open < shared.options.connections)
                std::make_shared<Connection>(std::move(socket), shared)->read();
            if (code) std::this_thread::sleep_for(std::chrono::milliseconds(20));  // out of descriptors, say
            accept();
        });
    }

    Result<void> listen() {
        const auto refuse = [&](const std::string& why) {
            return Error{ErrorKind::usage,
                         fmt::format("cannot listen on {} port {}: {}", util::printable(shared.options.address),
                                     shared.options.port, why),
                         {}};
        };
        error_code code;
        const auto address = asio::ip::make_address(shared.options.address, code);
        if (code) return refuse("not the address of an interface");
        const tcp::endpoint endpoint(address, shared.options.port);
        acceptor.open(endpoint.protocol(), code);
        if (!code) acceptor.set_option(asio::socket_base::reuse_address(true), code);
        if (!code) acceptor.bind(endpoint, code);
        if (!code) acceptor.listen(asio::socket_base::max_listen_connections, code);
        return code ? refuse(util::printable(code.message())) : Result<void>();
    }
};

Receiver::Receiver(std::unique_ptr<State> state) : state_(std::move(state)) {}

Receiver::~Receiver() {
    stop();
}

Result<std::unique_ptr<Receiver>> Receiver::start(const ReceiverOptions& options, Handler handler,
                                                  HeadHandler head_handler) {
    auto state = std::make_unique<State>();
    state->shared.options = options;
    state->shared.handler = std::move(handler);
    state->shared.head_handler = std::move(head_handler);
    MODELSEAL_TRY(state->listen());
    state->accept();
    for (unsigned i = 0; i < std::max(1u, options.threads); ++i)
        state->threads.emplace_back([raw = state.get()] { raw->io.run(); });
    return std::unique_ptr<Receiver>(new Receiver(std::move(state)));
}

std::uint16_t Receiver::port() const {
    error_code ignored;
    return state_->acceptor.local_endpoint(ignored).port();
}

void Receiver::stop() {
    if (state_->shared.stopping.exchange(true)) return;
    asio::post(state_->acceptor.get_executor(), [this] {
        error_code ignored;
        state_->acceptor.close(ignored);
    });
    // A handler that runs goes on to its end; its answer may be lost, and the registry sends again.
    state_->io.stop();
    for (auto& thread : state_->threads) thread.join();
}

}  // namespace modelseal::hook
