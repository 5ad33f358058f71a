// The protocol between modelseal and its worker: short messages over a pair of sockets, with descriptors.
//
// A message is one packet: the text of a JSON object, at most kMostMessage bytes, with at most
// kMostDescriptors descriptors. Bulk numbers are in shared memory instead (shared_memory.h). Each side treats
// the other as hostile: a packet that is truncated, is not an object, or has more descriptors than allowed is
// an error.
//
//     modelseal -> worker                                        worker -> modelseal
//     {"do": "enter", "threads", "device", "memory"}             {"landlock": 0.., "seccomp": bool}
//     {"do": "file", "name"} + one descriptor                    (none)
//     {"do": "open", "input_name", "input_shape",                {"input_name", "input_shape", "input_range", "runtime",
//      "input_parts": [{..}], "max_bytes"}                        "devices", "warnings", "alone": bool}
//     {"do": "outputs"}                                          {"count": n, "classifies": bool}
//     {"do": "classes"}                                          {"classes": n}
//     {"do": "memory", "bytes"} + one descriptor                 (none)
//     {"do": "ask", "count", "classes", "as": {..}}              {}: outputs are after the inputs
//     {"do": "gradient", "count", "activation": weight or null}  {"outputs": true}, then after "cotangents" {}
//     {"do": "cotangents"}
//     {"do": "coverage", "count", "change", "needed": [..]}      {"tensors": n}: cotangents and limits are after the
//                                                                inputs
//     {"do": "covered", "from"}                                  {"covered": [{"name", "weights", "noticed", "dead"}, ..]}
//     {"do": "generator", "count", "means", "stds", "width",     {}: noise, labels, means and deviations were
//      "classification", "variance", "rate", "seed", "low",          in the memory
//      "high"}
//     {"do": "generator_step"}                                   {"loss": number or null, "matched"}
//     {"do": "generated"}                                        {}: images are in the memory
//     {"do": "add_class", "seed"}                                {}
//     {"do": "training", "rate", "momentum", "weight_decay",     {}
//      "average_over"}
//     {"do": "train", "count"}: targets are after the inputs     {"loss": number or "nan", "inf", "-inf",
//                                                                 "matched": n}
//     {"do": "remember"}, {"do": "recall"}                       {}
//     {"do": "save"}                                             {"bytes": n}
//     {"do": "fetch", "floats"} + one descriptor                 {}: the saved file is there
// An answer may be {"error": {"kind", "message", "hint", "remedy"}} instead.
//
// Thread safety: one call at a time on one object.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <nlohmann/json.hpp>

#include "io/descriptor.h"
#include <modelseal/result.h>

namespace modelseal::worker {

inline constexpr std::size_t kMostMessage = 64u << 10;
inline constexpr std::size_t kMostDescriptors = 1;

using io::Descriptor;

struct Message {
    nlohmann::json body;
    Descriptor descriptor;
};

// The object of a packet, or nullopt if it is not one. Text, and not CBOR, whose nested arrays the library
// reads by recursion: 64 KiB of them would overflow the stack.
std::optional<nlohmann::json> read_packet(std::span<const std::uint8_t> packet);

class Channel {
  public:
    using Deadline = std::optional<std::chrono::steady_clock::time_point>;

    // Takes ownership of one end of a socketpair(AF_UNIX, SOCK_SEQPACKET).
    explicit Channel(Descriptor socket) : socket_(std::move(socket)) {}

    // Sends `descriptor` too, if it is not negative; it stays the caller's. Error `unreadable`: the other
    // side is gone.
    Result<void> send(const nlohmann::json& body, int descriptor = -1);

    // Waits for the next packet; without a deadline there is no limit.
    enum class Failure { gone, late, malformed };
    std::optional<Failure> receive(Message& message, Deadline deadline = {});

  private:
    Descriptor socket_;
};

}  // namespace modelseal::worker
