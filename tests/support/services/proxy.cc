#include "tests/support/services/proxy.h"

#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

namespace modelseal::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Code = boost::system::error_code;

void pass_on(tcp::socket& from, tcp::socket& to) {
    char piece[16384];
    Code code;
    for (;;) {
        const auto got = from.read_some(asio::buffer(piece), code);
        if (code) break;
        asio::write(to, asio::buffer(piece, got), code);
        if (code) break;
    }
    to.shutdown(tcp::socket::shutdown_send, code);
    from.shutdown(tcp::socket::shutdown_receive, code);
}

std::string host_of(std::string authority) {
    return authority.substr(
        0, authority.rfind(':') == std::string::npos ? authority.size() : authority.rfind(':'));
}

}  // namespace

struct Proxy::State {
    std::map<std::string, unsigned> hosts;
    std::string login;
    asio::io_context io;
    tcp::acceptor acceptor{io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    mutable std::mutex mutex;
    bool stop = false;
    std::vector<std::string> heads;
    std::list<tcp::socket> sockets;
    std::list<std::thread> threads;
    std::thread accepting;

    tcp::socket& keep(tcp::socket socket) {
        const std::lock_guard lock(mutex);
        return sockets.emplace_back(std::move(socket));
    }

    static void refuse(tcp::socket& client, const char* status) {
        Code code;
        asio::write(
            client,
            asio::buffer(fmt::format("HTTP/1.1 {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status)),
            code);
        client.shutdown(tcp::socket::shutdown_both, code);
    }

    // One request, or one tunnel, a connection: the server is asked to close it.
    void serve(tcp::socket& client) {
        asio::streambuf buffer;
        Code code;
        const auto length = asio::read_until(client, buffer, "\r\n\r\n", code);
        if (code) return;
        const auto* data = static_cast<const char*>(buffer.data().data());
        std::string head(data, length), rest(data + length, buffer.size() - length);
        {
            const std::lock_guard lock(mutex);
            heads.push_back(head);
        }
        if (!login.empty() && head.find("Proxy-Authorization: Basic " + login + "\r\n") == std::string::npos)
            return refuse(client, "407 Proxy Authentication Required");
        const auto space = head.find(' '), end = head.find(' ', space + 1);
        const auto method = head.substr(0, space);
        auto target = head.substr(space + 1, end - space - 1);
        const bool tunnel = method == "CONNECT";
        if (!tunnel) target = target.substr(std::string("http://").size());
        const auto slash = target.find('/');
        const auto found = hosts.find(host_of(target.substr(0, slash)));
        if (found == hosts.end()) return refuse(client, "502 Bad Gateway");
        tcp::socket opened(io);
        opened.connect({asio::ip::address_v4::loopback(), static_cast<unsigned short>(found->second)}, code);
        if (code) return refuse(client, "503 Service Unavailable");
        auto& server = keep(std::move(opened));
        if (tunnel) {
            asio::write(client, asio::buffer(std::string("HTTP/1.1 200 Connection established\r\n\r\n")), code);
        } else {
            head = method + " " + (slash == std::string::npos ? "/" : target.substr(slash)) +
                   " HTTP/1.1\r\nConnection: close" + head.substr(head.find("\r\n"));
            asio::write(server, asio::buffer(head), code);
        }
        asio::write(server, asio::buffer(rest), code);
        std::thread back([&] { pass_on(server, client); });
        pass_on(client, server);
        back.join();
    }

    void accept() {
        for (;;) {
            tcp::socket socket(io);
            Code code;
            acceptor.accept(socket, code);
            {
                const std::lock_guard lock(mutex);
                if (stop) return;
            }
            if (code) continue;
            auto& kept = keep(std::move(socket));
            threads.emplace_back([this, &kept] { serve(kept); });
        }
    }
};

Proxy::Proxy(std::map<std::string, unsigned> hosts, std::string login) : state_(std::make_unique<State>()) {
    state_->hosts = std::move(hosts);
    state_->login = std::move(login);
    state_->accepting = std::thread([this] { state_->accept(); });
}

Proxy::~Proxy() {
    Code ignored;
    {
        const std::lock_guard lock(state_->mutex);
        state_->stop = true;
    }
    tcp::socket(state_->io).connect(state_->acceptor.local_endpoint(), ignored);  // wakes accept()
    state_->accepting.join();
    {
        const std::lock_guard lock(state_->mutex);
        for (auto& socket : state_->sockets) socket.shutdown(tcp::socket::shutdown_both, ignored);
    }
    for (auto& thread : state_->threads) thread.join();
}

std::string Proxy::authority() const {
    return fmt::format("127.0.0.1:{}", state_->acceptor.local_endpoint().port());
}

std::string Proxy::url() const {
    return "http://" + authority();
}

std::vector<std::string> Proxy::heads() const {
    const std::lock_guard lock(state_->mutex);
    return state_->heads;
}

}  // namespace modelseal::test
