// The same through the library: make a key, seal a file, check it, and list what changed.
//   3_library MODEL OUT
#include <cstdio>

#include <modelseal/check.h>
#include <modelseal/seal.h>

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: 3_library MODEL OUT\n");
        return 2;
    }
    const auto key = modelseal::SigningKey::generate();
    const auto check = modelseal::public_check_key(key.public_key());

    const auto sealed =
        modelseal::seal_model(argv[1], argv[2], {.key = key, .check = check, .stamp = {{"version", "1"}}});
    if (!sealed) {
        std::fprintf(stderr, "%s\n", sealed.error().message.c_str());
        return 3;
    }
    std::printf("sealed %llu tensors, root %s\n", static_cast<unsigned long long>(sealed->tensors),
                sealed->root.c_str());

    const auto report = modelseal::check_model(
        argv[2], {.seal = modelseal::SealCheck{.keys = {check}}, .policy = {.stamp = {{"version", "1"}}}});
    if (!report) {
        std::fprintf(stderr, "%s\n", report.error().message.c_str());
        return 3;
    }
    if (report->verdict == modelseal::Verdict::intact) {
        std::printf("intact\n");
        return 0;
    }
    if (report->seal) {
        for (const auto& tensor : report->seal->tensors) std::printf("changed: %s\n", tensor.name.c_str());
    }
    return 1;
}
