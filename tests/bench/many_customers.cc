// Fills a new ledger with customers c0, c1, ...: many_customers LEDGER NAME.key COUNT (a key without
// passphrase)
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <modelseal/ledger.h>

int main(int argc, char** argv) {
    using namespace modelseal;
    if (argc != 4) {
        std::fprintf(stderr, "usage: many_customers LEDGER NAME.key COUNT\n");
        return 2;
    }
    const auto key = load_signing_key(argv[2], [](const std::string&) { return std::string(); });
    if (!key.ok()) return std::fprintf(stderr, "%s\n", key.error().message.c_str()), 1;
    auto ledger = Ledger::open_or_create(argv[1], *key);
    if (!ledger.ok()) return std::fprintf(stderr, "%s\n", ledger.error().message.c_str()), 1;
    std::vector<std::string> names;
    for (unsigned long i = 0; i < std::strtoul(argv[3], nullptr, 10); ++i)
        names.push_back("c" + std::to_string(i));
    const auto done = ledger->add(*key, names);
    if (!done.ok()) return std::fprintf(stderr, "%s\n", done.error().message.c_str()), 1;
    return 0;
}
