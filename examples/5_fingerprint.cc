// A fingerprint through the library: make one, then query a model that may have changed. Needs LibTorch.
//   5_fingerprint MODEL.onnx SERVED FP       SERVED: a URL, exec:COMMAND, or a file that is run
#include <cstdio>

#include <modelseal/check.h>
#include <modelseal/fingerprint.h>

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: 5_fingerprint MODEL.onnx SERVED FP\n");
        return 2;
    }
    const auto key = modelseal::SigningKey::generate();
    const auto check = modelseal::public_check_key(key.public_key());

    const auto made = modelseal::fingerprint_model(argv[1], argv[3], {.key = key, .check = check, .pairs = 20});
    if (!made) {
        std::fprintf(stderr, "%s\n", made.error().message.c_str());
        return 3;
    }
    std::printf("fingerprint %s, %llu evaluations of the model\n", made->id.c_str(),
                static_cast<unsigned long long>(made->evaluations));

    const auto report = modelseal::check_model(
        argv[2], {.fingerprint = modelseal::FingerprintCheck{.file = argv[3], .keys = {check}}});
    if (!report || !report->fingerprint || report->verdict == modelseal::Verdict::error) {
        const auto& why = report ? report->error : report.error().message;
        std::fprintf(stderr, "%s\n", why.c_str());
        return 3;
    }
    const auto& found = *report->fingerprint;
    std::printf("%llu of %llu pairs differ; an alarm needs %.0f times the noise of honest runtimes\n",
                static_cast<unsigned long long>(found.mismatched),
                static_cast<unsigned long long>(found.compared), found.headroom);
    return report->verdict == modelseal::Verdict::intact ? 0 : 1;
}
