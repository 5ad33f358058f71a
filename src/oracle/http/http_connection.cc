
#include "oracle/http/http_connection.h"

#include <utility>  // for Asio 1.74, which forgets it

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "io/file.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::beast::error_code;
using Clock = std::chrono::steady_clock;
using TlsStream = asio::ssl::stream<tcp::socket>;
using Failure = std::unique_ptr<HttpFailure>;

constexpr std::uint32_t kMaxHeader = 64u << 10;
constexpr int kMaxInterim = 8;  // responses 1xx before the one that counts
constexpr std::uint64_t kMaxCaFile = 4u << 20;

Result<void> trust(asio::ssl::context& tls, const std::string& ca_file) {
    // Asio verifies nothing by default.
    tls.set_verify_mode(asio::ssl::verify_peer);
    ::SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
    error_code code;
    if (ca_file.empty()) {
        tls.set_default_verify_paths(code);
        if (code) return Error{ErrorKind::unreadable, "cannot load the system's trusted certificates", {}};
        return {};
    }
    MODELSEAL_TRY_ASSIGN(const auto pem, io::read_text(ca_file, kMaxCaFile));
    tls.add_certificate_authority(asio::buffer(pem), code);
    if (code) {
        return Error{ErrorKind::malformed,
                     fmt::format("{}: contains no certificate that can be trusted", util::printable(ca_file)),
                     "a certificate in PEM begins with -----BEGIN CERTIFICATE-----"};
    }
    return {};
}

http::request<http::string_body> to_beast(const HttpRequest& request, const Url& server,
                                          const std::string& token) {
    http::request<http::string_body> out;
    out.version(11);
    out.method(request.post ? http::verb::post : http::verb::get);
    out.target(request.target);
    out.set(http::field::host, server.host_header());
    out.set(http::field::user_agent, "modelseal");
    out.set(http::field::accept_encoding, "identity");
    if (!token.empty()) out.set(http::field::authorization, "Bearer " + token);
    for (const auto& [name, value] : request.fields) out.set(name, value);
    out.body() = request.body;
    if (request.post) out.prepare_payload();
    return out;
}

HttpResponse from_beast(http::response<http::string_body>&& in) {
    HttpResponse response;
    response.status = in.result_int();
    for (const auto& field : in) {
        std::string name(field.name_string());
        for (auto& c : name) {
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        }
        response.fields.emplace_back(std::move(name), std::string(field.value()));
    }
    response.body = std::move(in.body());
    return response;
}

}  // namespace

struct HttpConnection::State {
    State(Url to, HttpOptions with) : server(std::move(to)), options(std::move(with)) {}

    Url server;
    HttpOptions options;
    asio::io_context io;
    asio::ssl::context tls{asio::ssl::context::tls_client};
    std::unique_ptr<TlsStream> stream;  // of plain HTTP only its inner socket is used; null: not connected
    boost::beast::flat_buffer buffer;
    Clock::time_point deadline;

    // Runs one operation, begun by `start` with the handler that it is given, until it ends or time is up.
    template <class Start>
    error_code await(Start&& start) {
        error_code outcome;
        bool done = false;
        start([&](error_code code, const auto&...) {
            outcome = code;
            done = true;
        });
        io.restart();
        io.run_until(deadline);
        if (done) return outcome;
        if (stream) stream->next_layer().close(outcome);
        io.restart();
        io.run();  // the handler refers to this frame
        return asio::error::timed_out;
    }

    Failure fail(ErrorKind kind, const std::string& what, bool later = false, std::string hint = {}) {
        stream.reset();
        buffer.clear();
        return std::make_unique<HttpFailure>(
            HttpFailure{{kind, fmt::format("{}: {}", server.origin(), what), std::move(hint)}, later});
    }
    Failure fail(error_code code, const std::string& doing) {
        if (code == asio::error::timed_out && Clock::now() >= deadline) {
            return fail(ErrorKind::unreadable,
                        fmt::format("{}: no answer within {} s", doing,
                                    static_cast<double>(options.timeout.count()) / 1000));
        }
        return fail(ErrorKind::unreadable, doing + ": " + util::printable(code.message()), true);
    }

    Failure connect();
    Failure shake_hands();
    Failure read_failure(error_code code);
    template <class Stream>
    Failure transfer(Stream& over, const HttpRequest& request, HttpResponse& response, bool& silent);
    Failure transfer(const HttpRequest& request, HttpResponse& response, bool& silent);
};

Failure HttpConnection::State::connect() {
    buffer.clear();
    stream = std::make_unique<TlsStream>(io, tls);
    tcp::resolver resolver(io);
    tcp::resolver::results_type addresses;
    auto code = await([&](auto handler) {
        resolver.async_resolve(
            server.host, std::to_string(server.port),
            [&addresses, handler](error_code failed, tcp::resolver::results_type found) mutable {
                addresses = std::move(found);
                handler(failed);
            });
    });
    if (code == asio::error::host_not_found || code == asio::error::no_data) {
        return fail(ErrorKind::unreadable, "host not found");
    }
    if (code) return fail(code, "cannot look up the host");
    code = await([&](auto handler) { asio::async_connect(stream->next_layer(), addresses, handler); });
    if (code) return fail(code, "cannot connect");
    stream->next_layer().set_option(tcp::no_delay(true), code);
    const auto peer = stream->next_layer().remote_endpoint(code);
    // The name is loopback; require the address to be as well.
    if (!server.tls && !options.token.empty() && (code || !peer.address().is_loopback())) {
        return fail(ErrorKind::unreadable, "is not this machine, and a token is not sent there unencrypted");
    }
    return server.tls ? shake_hands() : nullptr;
}

Failure HttpConnection::State::shake_hands() {
    SSL* ssl = stream->native_handle();
    bool ready = true;
    if (server.is_address()) {
        ready = ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(ssl), server.host.c_str()) == 1;
    } else {
        ready = ::SSL_set1_host(ssl, server.host.c_str()) == 1 &&
                SSL_set_tlsext_host_name(ssl, server.host.c_str()) == 1;
        // RFC 9525, section 2: names are those of the extension subjectAltName, never the subject's.
        ::SSL_set_hostflags(ssl, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    }
    if (!ready) return fail(ErrorKind::unreadable, "cannot set the expected host name for TLS");
    const auto code =
        await([&](auto handler) { stream->async_handshake(asio::ssl::stream_base::client, handler); });
    if (!code) return nullptr;
    if (const auto refused = ::SSL_get_verify_result(ssl); refused != X509_V_OK) {
        return fail(
            ErrorKind::unreadable,
            fmt::format("its certificate is not accepted: {}", ::X509_verify_cert_error_string(refused)), false,
            options.ca_file.empty() ? "if the server's certificate is from an authority of its own, give the "
                                      "authority's certificate"
                                    : "");
    }
    // Anything that TLS itself refuses comes out the same the next time.
    auto failure = fail(code, "the TLS connection failed");
    if (code.category() == asio::error::get_ssl_category()) failure->later = false;
    return failure;
}

Failure HttpConnection::State::read_failure(error_code code) {
    if (code == http::error::body_limit || code == http::error::header_limit ||
        code == http::error::buffer_overflow) {
        auto failure =
            fail(ErrorKind::malformed, fmt::format("the answer is larger than {} MiB", options.max_body >> 20));
        failure->too_large = true;
        return failure;
    }
    const bool broken = code == http::error::end_of_stream || code == http::error::partial_message;
    if (!broken && code.category() == http::make_error_code(http::error::body_limit).category()) {
        return fail(ErrorKind::malformed, "the answer is not valid HTTP: " + code.message());
    }
    if (broken) code = asio::error::eof;
    return fail(code, code == asio::error::eof || code == asio::ssl::error::stream_truncated
                          ? "the connection was closed before the answer was complete"
                          : "waiting for the answer");
}

template <class Stream>
Failure HttpConnection::State::transfer(Stream& over, const HttpRequest& request, HttpResponse& response,
                                        bool& silent) {
    const auto out = to_beast(request, server, options.token);
    const auto written = await([&](auto handler) { http::async_write(over, out, handler); });
    if (written == asio::error::timed_out) return fail(written, "sending the request");
    // Even if it could not be written: a server may answer, and close, before it has read the whole request.
    for (int interim = 0; interim <= kMaxInterim; ++interim) {
        http::response_parser<http::string_body> parser;
        parser.body_limit(options.max_body);
        parser.header_limit(kMaxHeader);
        // The header by itself: Beast 1.74 forgets its limit on Content-Length if parts of the body come along.
        auto read = await([&](auto handler) { http::async_read_header(over, buffer, parser, handler); });
        if (!read && parser.content_length().value_or(0) > options.max_body) read = http::error::body_limit;
        if (!read) read = await([&](auto handler) { http::async_read(over, buffer, parser, handler); });
        silent = !parser.got_some() && interim == 0;
        if (read) return written && silent ? fail(written, "sending the request") : read_failure(read);
        if (parser.get().result_int() < 200) continue;
        // Bytes after the answer would be taken for the next one.
        const bool keep = parser.keep_alive() && buffer.size() == 0 && !written;
        response = from_beast(parser.release());
        if (!keep) stream.reset();
        return nullptr;
    }
    return fail(ErrorKind::malformed, "sends too many interim responses");
}

Failure HttpConnection::State::transfer(const HttpRequest& request, HttpResponse& response, bool& silent) {
    return server.tls ? transfer(*stream, request, response, silent)
                      : transfer(stream->next_layer(), request, response, silent);
}

HttpConnection::HttpConnection(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpConnection::~HttpConnection() = default;

Result<std::unique_ptr<HttpConnection>> HttpConnection::open(Url server, HttpOptions options) {
    auto state = std::make_unique<State>(std::move(server), std::move(options));
    if (state->server.tls) MODELSEAL_TRY(trust(state->tls, state->options.ca_file));
    return std::unique_ptr<HttpConnection>(new HttpConnection(std::move(state)));
}

const Url& HttpConnection::server() const {
    return state_->server;
}

std::unique_ptr<HttpFailure> HttpConnection::exchange(const HttpRequest& request, HttpResponse& response) {
    state_->deadline = state_->options.deadline.at_most(Clock::now() + state_->options.timeout);
    bool silent = false;
    if (state_->stream) {
        auto failure = state_->transfer(request, response, silent);
        // A server may close an idle connection.
        if (!failure || !silent || !failure->later) return failure;
    }
    if (auto failure = state_->connect()) return failure;
    return state_->transfer(request, response, silent);
}

}  // namespace modelseal::oracle
