
#include "tests/support/services/http_server.h"

#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

namespace modelseal::test {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::beast::error_code;

HttpAsked from_beast(const http::request<http::string_body>& in) {
    HttpAsked asked{std::string(in.method_string()), std::string(in.target()), in.body(), {}};
    for (const auto& field : in) {
        std::string name(field.name_string());
        for (auto& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        asked.fields.emplace_back(name, std::string(field.value()));
    }
    return asked;
}

std::string bytes_of(const HttpReply& reply) {
    if (!reply.raw.empty()) return reply.raw;
    std::string text = fmt::format("HTTP/1.1 {} Reason\r\n", reply.status);
    for (const auto& [name, value] : reply.fields) text += name + ": " + value + "\r\n";
    if (!reply.chunked) return text + fmt::format("Content-Length: {}\r\n\r\n", reply.body.size()) + reply.body;
    text += "Transfer-Encoding: chunked\r\n\r\n";
    for (std::size_t at = 0; at < reply.body.size(); at += 7) {
        const auto part = reply.body.substr(at, 7);
        text += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
    }
    return text + "0\r\n\r\n";
}

}  // namespace

struct HttpServer::State {
    Handler handler;
    asio::io_context io;
    std::optional<asio::ssl::context> tls;
    tcp::acceptor acceptor{io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    mutable std::mutex mutex;
    std::condition_variable stopping;
    bool stop = false;
    unsigned connections = 0;
    std::vector<HttpAsked> asked;
    std::list<tcp::socket> sockets;
    std::list<std::thread> threads;
    std::thread accepting;

    HttpReply answer(const http::request<http::string_body>& request) {
        std::unique_lock lock(mutex);
        asked.push_back(from_beast(request));
        auto reply = handler(asked.back());
        if (reply.delay.count() > 0) stopping.wait_for(lock, reply.delay, [this] { return stop; });
        return reply;
    }

    template <class Stream>
    void serve(Stream& stream) {
        boost::beast::flat_buffer buffer;
        error_code code;
        for (;;) {
            http::request_parser<http::string_body> parser;
            parser.body_limit(256u << 20);
            http::read(stream, buffer, parser, code);
            if (code) return;
            const auto reply = answer(parser.get());
            const auto bytes = bytes_of(reply);
            asio::write(stream, asio::buffer(bytes.data(), std::min(bytes.size(), reply.cut)), code);
            if (code || reply.close || reply.cut < bytes.size()) return;
        }
    }

    void connection(tcp::socket& socket) {
        error_code code;
        if (tls) {
            asio::ssl::stream<tcp::socket&> stream(socket, *tls);
            stream.handshake(asio::ssl::stream_base::server, code);
            if (!code) serve(stream);
        } else {
            serve(socket);
        }
        const std::lock_guard lock(mutex);
        socket.close(code);
    }

    void accept() {
        for (;;) {
            tcp::socket socket(io);
            error_code code;
            acceptor.accept(socket, code);
            const std::lock_guard lock(mutex);
            if (stop) return;
            if (code) continue;
            ++connections;
            sockets.push_back(std::move(socket));
            auto& kept = sockets.back();
            threads.emplace_back([this, &kept] { connection(kept); });
        }
    }
};

std::string HttpAsked::field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
        if (key == name) return value;
    }
    return {};
}

HttpServer::HttpServer(Handler handler, const TlsFiles* tls) : state_(std::make_unique<State>()) {
    state_->handler = std::move(handler);
    if (tls != nullptr) {
        state_->tls.emplace(asio::ssl::context::tls_server);
        state_->tls->use_certificate_chain(asio::buffer(tls->certificates));
        state_->tls->use_private_key(asio::buffer(tls->key), asio::ssl::context::pem);
        if (!tls->client_authority.empty()) {
            state_->tls->add_certificate_authority(asio::buffer(tls->client_authority));
            state_->tls->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
        }
    }
    state_->accepting = std::thread([this] { state_->accept(); });
}

HttpServer::~HttpServer() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stop = true;
        state_->stopping.notify_all();
        for (auto& socket : state_->sockets) {
            error_code ignored;
            if (socket.is_open()) socket.shutdown(tcp::socket::shutdown_both, ignored);
        }
    }
    error_code ignored;
    tcp::socket(state_->io).connect(state_->acceptor.local_endpoint(), ignored);  // wakes accept()
    state_->accepting.join();
    for (auto& thread : state_->threads) thread.join();
}

unsigned HttpServer::port() const {
    return state_->acceptor.local_endpoint().port();
}

std::string HttpServer::url(const std::string& path, const std::string& host) const {
    return fmt::format("{}://{}:{}{}", state_->tls ? "https" : "http", host, port(), path);
}

std::vector<HttpAsked> HttpServer::asked() const {
    const std::lock_guard lock(state_->mutex);
    return state_->asked;
}

unsigned HttpServer::connections() const {
    const std::lock_guard lock(state_->mutex);
    return state_->connections;
}

}  // namespace modelseal::test
