// The HTTP client, on libcurl (libcurl.h): HTTP/1.1 and HTTP/2, proxies from the environment (https_proxy, http_proxy, no_proxy, also in
// capitals; never for this machine), TLS whose certificates are always verified.
//
// The other side may be hostile: every body has a cap, every request a deadline and a limit on standstill. Redirects are
// followed here and not by libcurl: a limited number of times, as Redirects says, never from https to http. What proves who
// is asking (Authorization, other fields of its own, a login, a client certificate) stays with the origin of a request.
//
// Thread safety: one call at a time on one object; each thread has its own Client, which keeps its connections.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/url.h"
#include <modelseal/result.h>

namespace modelseal::http {

enum class Redirects {
    reading,  // of GET and HEAD, to any server
    same_host,  // to the host of the request alone, whatever its port; of other methods those that keep the body (307, 308)
};

// What happens to a body with a Content-Encoding.
enum class Packed {
    kept,      // as it was sent: digests and ranges are about that
    unpacked,  // gzip and others are asked for, and unpacked even if they were not; caps count what comes out
};

struct ClientOptions {
    std::filesystem::path ca_file = {};  // PEM; trusted instead of the system's anchors
    // The certificate to show to a server that asks for one, with those of its authorities, and its key; PEM.
    std::filesystem::path client_cert = {}, client_key = {};  // no key: it is in the file of the certificate
    std::string client_key_passphrase = {};                   // of an encrypted key
    // Logins by host, as netrc(5); empty: none. Sent over TLS, or to this machine, alone.
    std::filesystem::path netrc = {};
    std::chrono::milliseconds connect{15'000};
    std::chrono::seconds stall{60};              // without a byte
    std::chrono::milliseconds total{3'600'000};  // for a request, its redirects, retries and pauses together
    // For one try, from connecting to the last byte; 0: no limit. There is no retry after it.
    std::chrono::milliseconds attempt{0};
    unsigned retries = 5;  // of what may succeed later, as long as nothing comes
    std::vector<unsigned> passing = {429, 500, 502, 503, 504};  // statuses that may pass
    std::chrono::milliseconds backoff{500};  // before the first retry; doubled, with jitter, at most 30 s
    unsigned redirects = 5;                  // one after the other
    Redirects redirected = Redirects::reading;
    Packed packed = Packed::kept;
    std::function<void(const std::string&)> notice = {};  // of retries, one line
    const std::atomic<bool>* stop = nullptr;              // ends what is under way; not owned
};

enum class Method { get, head, put, post, del };

using Fields = std::vector<std::pair<std::string, std::string>>;

enum class Overlong { refused, cut_off };  // what becomes of a body above its cap

struct Request {
    Method method = Method::get;
    Url url;
    Fields fields = {};                 // go wherever a redirect leads
    std::string authorization = {};     // value of that header; to the origin of `url` alone
    Fields own = {};                    // to the origin of `url` alone; Host may be among them
    std::string body = {};              // of PUT and POST
    std::string media_type = {};        // of the body
    std::uint64_t max_body = 8u << 20;  // of the response
    Overlong overlong = Overlong::refused;
    // An Error with Remedy::allow_more_time ends it then, if nothing did before.
    std::optional<std::chrono::steady_clock::time_point> until = {};
};

struct Response {
    unsigned status = 0;
    Fields fields = {};  // names in lower case
    std::string body = {};
    Url url;                // that answered, after redirects
    bool over_cap = false;  // of Overlong::cut_off: the body is incomplete
    // The first field of that (lower-case) name, or empty.
    std::string_view field(std::string_view name) const;
    bool is_success() const { return status >= 200 && status < 300; }
};

// Takes the next bytes of a body, in order, each once. Its Error ends the request and is passed on.
using Sink = std::function<Result<void>(std::span<const std::byte>)>;

class Client {
  public:
    // Does not connect yet. Errors: a CA file, client certificate or netrc file that cannot be read; `usage` for a netrc
    // file with an entry "default", whose password would go to any server.
    static Result<Client> open(ClientOptions options);
    Client(Client&& other) noexcept;
    Client& operator=(Client&& other) noexcept;
    ~Client();

    // A response of any status but a redirect. Errors name the server; ErrorKind::malformed for a body that is larger than
    // the cap and for a redirect that is not followed, else unreadable. None has the value of a field.
    Result<Response> send(const Request& request);

    // GET, whose body goes to `sink` if the status is 200; that of any other status is in the response. A body that is cut
    // off is continued where it ended, by a range if the server can do that.
    Result<Response> fetch(const Request& request, const Sink& sink);

  private:
    struct State;
    explicit Client(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// "no space left", "not found": the status and the begin of a body, for messages; printable.
std::string answer_text(const Response& response);

}  // namespace modelseal::http
