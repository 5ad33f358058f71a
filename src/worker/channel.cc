#include "worker/channel.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace modelseal::worker {
namespace {

using Clock = std::chrono::steady_clock;

// Room for one descriptor, aligned as the kernel wants it.
union Control {
    cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

// Every descriptor that came, so that none is left open whatever else is wrong with the packet.
std::vector<Descriptor> descriptors_of(msghdr& packet) {
    std::vector<Descriptor> found;
    for (auto* part = CMSG_FIRSTHDR(&packet); part != nullptr; part = CMSG_NXTHDR(&packet, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const auto count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
            found.emplace_back(fd);
        }
    }
    return found;
}

}  // namespace

std::optional<nlohmann::json> read_packet(std::span<const std::uint8_t> packet) {
    auto body = nlohmann::json::parse(packet.begin(), packet.end(), nullptr, false);
    return body.is_object() ? std::optional(std::move(body)) : std::nullopt;
}

Result<void> Channel::send(const nlohmann::json& body, int descriptor) {
    auto bytes = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    iovec piece{bytes.data(), bytes.size()};
    msghdr packet{};
    packet.msg_iov = &piece;
    packet.msg_iovlen = 1;
    Control control{};
    if (descriptor >= 0) {
        packet.msg_control = control.bytes;
        packet.msg_controllen = sizeof control.bytes;
        auto* part = CMSG_FIRSTHDR(&packet);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(part), &descriptor, sizeof descriptor);
    }
    for (;;) {
        const auto sent = ::sendmsg(socket_.get(), &packet, MSG_NOSIGNAL);
        if (sent >= 0) return {};
        if (errno != EINTR) return Error{ErrorKind::unreadable, std::strerror(errno), {}};
    }
}

std::optional<Channel::Failure> Channel::receive(Message& message, Deadline deadline) {
    std::vector<std::uint8_t> bytes(kMostMessage);
    iovec piece{bytes.data(), bytes.size()};
    Control control{};
    msghdr packet{};
    for (;;) {
        int wait = -1;
        if (deadline) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count();
            if (left <= 0) return Failure::late;
            wait = static_cast<int>(std::min<long long>(left, 60'000));
        }
        pollfd waiting{socket_.get(), POLLIN, 0};
        const int ready = ::poll(&waiting, 1, wait);
        if (ready < 0 && errno != EINTR) return Failure::gone;
        if (ready <= 0) continue;
        packet = {};
        packet.msg_iov = &piece;
        packet.msg_iovlen = 1;
        packet.msg_control = control.bytes;
        packet.msg_controllen = sizeof control.bytes;
        const auto got = ::recvmsg(socket_.get(), &packet, MSG_CMSG_CLOEXEC);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got <= 0) return Failure::gone;
        bytes.resize(static_cast<std::size_t>(got));
        break;
    }
    auto descriptors = descriptors_of(packet);
    if ((packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || descriptors.size() > kMostDescriptors) {
        return Failure::malformed;
    }
    auto body = read_packet(bytes);
    if (!body) return Failure::malformed;
    message.body = std::move(*body);
    message.descriptor = descriptors.empty() ? Descriptor() : std::move(descriptors.front());
    return std::nullopt;
}

}  // namespace modelseal::worker
