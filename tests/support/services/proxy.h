// An HTTP proxy in the test's own process, which leads every host to a port of this machine.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace modelseal::test {

class Proxy {
  public:
    // `hosts`: "model.test" -> port. Of others it says 502; with a `login`, 407 to whoever does not give it.
    explicit Proxy(std::map<std::string, unsigned> hosts, std::string login = {});
    ~Proxy();
    Proxy(const Proxy&) = delete;
    Proxy& operator=(const Proxy&) = delete;

    std::string url() const;        // "http://127.0.0.1:PORT"
    std::string authority() const;  // "127.0.0.1:PORT"
    // The heads of all requests to the proxy itself, in order, as they came in.
    std::vector<std::string> heads() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace modelseal::test
