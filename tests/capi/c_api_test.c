/*
 * The C interface, called from C: tests/capi/run.sh makes the keys and the signature in FOLDER.
 *   c_api_test FOLDER write     writes FOLDER/net.safetensors
 *   c_api_test FOLDER           tests; prints what fails, exits 1 if anything does
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <modelseal/c.h>

static const char* folder;
static int failures = 0;

#define EXPECT(condition)                                                   \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            failures++;                                                     \
        }                                                                   \
    } while (0)

/* The call must fail in this way, with these words in its message, and leave its output alone. */
#define EXPECT_ERROR(call, status, words)                                                \
    do {                                                                                 \
        modelseal_error* error = NULL;                                                   \
        const modelseal_status got = (call);                                             \
        if (got != (status) || modelseal_error_kind(error) != (status) ||                \
            strstr(modelseal_error_message(error), (words)) == NULL) {                   \
            fprintf(stderr, "%s:%d: %s: %d '%s'\n", __FILE__, __LINE__, #call, (int)got, \
                    modelseal_error_message(error));                                     \
            failures++;                                                                  \
        }                                                                                \
        modelseal_error_free(error);                                                     \
    } while (0)

#define EXPECT_OK(call)                                                                                      \
    do {                                                                                                     \
        modelseal_error* error = NULL;                                                                       \
        if ((call) != MODELSEAL_OK || error != NULL) {                                                       \
            fprintf(stderr, "%s:%d: %s: '%s'\n", __FILE__, __LINE__, #call, modelseal_error_message(error)); \
            failures++;                                                                                      \
        }                                                                                                    \
        modelseal_error_free(error);                                                                         \
    } while (0)

/* Path of a file in the folder; the next eight calls leave it alone. */
static const char* at(const char* name) {
    static char paths[8][4096];
    static unsigned next = 0;
    char* path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

enum { kTensors = 3, kElements = 65536, kBytes = kElements * 4 };

static int write_model(void) {
    static const char* const header =
        "{\"embed.weight\":{\"dtype\":\"F32\",\"shape\":[256,256],\"data_offsets\":[0,262144]},"
        "\"layer.weight\":{\"dtype\":\"F32\",\"shape\":[256,256],\"data_offsets\":[262144,524288]},"
        "\"output.weight\":{\"dtype\":\"F32\",\"shape\":[256,256],\"data_offsets\":[524288,786432]}}";
    FILE* file = fopen(at("net.safetensors"), "wb");
    if (file == NULL) return 1;
    const uint64_t size = strlen(header);
    for (int i = 0; i < 8; ++i) fputc((int)(size >> (8 * i) & 0xff), file);
    fputs(header, file);
    uint32_t state = 1;
    for (int i = 0; i < kTensors * kElements; ++i) {
        double sum = 0;               /* of a few uniform numbers: near enough to the weights of a network */
        for (int k = 0; k < 8; ++k) { /* each of 48 bits */
            state = state * 1664525u + 1013904223u;
            sum += ((double)(state >> 8) / 16777216.0 - 0.5) / (k % 2 == 0 ? 1 : 16777216.0);
        }
        const float weight = (float)(sum * 0.05); /* rounded once, else its last places are not noise */
        fwrite(&weight, sizeof weight, 1, file);
    }
    return fclose(file);
}

/* Flips the lowest bit of one element, counted from the end of the file. */
static void tamper(const char* from, const char* to, long element_from_end) {
    FILE* in = fopen(from, "rb");
    FILE* out = fopen(to, "wb");
    EXPECT(in != NULL && out != NULL);
    if (in == NULL || out == NULL) exit(1);
    for (int byte; (byte = fgetc(in)) != EOF;) fputc(byte, out);
    fseek(out, -4 * element_from_end, SEEK_END);
    const long place = ftell(out);
    fseek(in, place, SEEK_SET);
    const int byte = fgetc(in);
    fputc(byte ^ 1, out);
    fclose(in);
    EXPECT(fclose(out) == 0);
}

static int give_passphrase(const char* file, char* buffer, size_t size, void* user) {
    const char* passphrase = user;
    EXPECT(strstr(file, "locked.key") != NULL);
    EXPECT(size == MODELSEAL_PASSPHRASE_MAX);
    memcpy(buffer, passphrase, strlen(passphrase));
    return (int)strlen(passphrase);
}

static int give_up(const char* file, char* buffer, size_t size, void* user) {
    (void)file, (void)buffer, (void)size, (void)user;
    return -1;
}

static int claim_too_much(const char* file, char* buffer, size_t size, void* user) {
    (void)file, (void)buffer, (void)user;
    return (int)size + 1;
}

static void test_errors_of_null(void) {
    modelseal_check_options check = MODELSEAL_CHECK_OPTIONS_INIT;
    modelseal_verify_options verify = MODELSEAL_VERIFY_OPTIONS_INIT;
    modelseal_public_key* public_key = NULL;
    modelseal_signing_key* signing_key = NULL;
    modelseal_check_key* check_key = NULL;
    modelseal_report* report = NULL;
    char* text = NULL;

    EXPECT_ERROR(modelseal_public_key_open(NULL, &public_key, &error), MODELSEAL_USAGE,
                 "modelseal_public_key_open: 'path' is NULL");
    EXPECT_ERROR(modelseal_public_key_open("a", NULL, &error), MODELSEAL_USAGE, "'key' is NULL");
    EXPECT_ERROR(modelseal_signing_key_open(NULL, NULL, NULL, &signing_key, &error), MODELSEAL_USAGE, "'path'");
    EXPECT_ERROR(modelseal_signing_key_open("a", NULL, NULL, NULL, &error), MODELSEAL_USAGE, "'key'");
    EXPECT_ERROR(modelseal_signing_key_open_with(NULL, "", 0, &signing_key, &error), MODELSEAL_USAGE, "'path'");
    EXPECT_ERROR(modelseal_signing_key_public(NULL, &public_key, &error), MODELSEAL_USAGE, "'key'");
    EXPECT_ERROR(modelseal_check_key_open(NULL, &check_key, &error), MODELSEAL_USAGE, "'path'");
    EXPECT_ERROR(modelseal_check_key_open("a", NULL, &error), MODELSEAL_USAGE, "'key'");
    EXPECT_ERROR(modelseal_check_key_public(NULL, &check_key, &error), MODELSEAL_USAGE, "'vendor'");
    EXPECT_ERROR(modelseal_seal(NULL, "b", NULL, NULL, &text, &error), MODELSEAL_USAGE, "'model'");
    EXPECT_ERROR(modelseal_seal("a", NULL, NULL, NULL, &text, &error), MODELSEAL_USAGE, "'out'");
    EXPECT_ERROR(modelseal_seal("a", "b", NULL, NULL, &text, &error), MODELSEAL_USAGE, "'key'");
    EXPECT_ERROR(modelseal_check(NULL, &check, &report, &error), MODELSEAL_USAGE, "'model'");
    EXPECT_ERROR(modelseal_check("a", NULL, &report, &error), MODELSEAL_USAGE, "'options'");
    EXPECT_ERROR(modelseal_check("a", &check, NULL, &error), MODELSEAL_USAGE, "'report'");
    EXPECT_ERROR(modelseal_check("a", &check, &report, &error), MODELSEAL_USAGE, "no key to check with");
    EXPECT_ERROR(modelseal_verify(NULL, "s", &verify, &report, &error), MODELSEAL_USAGE, "'model'");
    EXPECT_ERROR(modelseal_verify("a", NULL, &verify, &report, &error), MODELSEAL_USAGE, "'signature'");
    EXPECT_ERROR(modelseal_verify("a", "s", NULL, &report, &error), MODELSEAL_USAGE, "'options'");
    EXPECT_ERROR(modelseal_verify("a", "s", &verify, NULL, &error), MODELSEAL_USAGE, "'report'");
    EXPECT_ERROR(modelseal_verify("a", "s", &verify, &report, &error), MODELSEAL_USAGE,
                 "to verify the signature with");
    EXPECT_ERROR(modelseal_inspect(NULL, NULL, 0, &text, &error), MODELSEAL_USAGE, "'path'");
    EXPECT_ERROR(modelseal_inspect("a", NULL, 0, NULL, &error), MODELSEAL_USAGE, "'json'");
    EXPECT_ERROR(modelseal_inspect("a", NULL, 1, &text, &error), MODELSEAL_USAGE, "'keys'");

    check.key_count = 1;
    EXPECT_ERROR(modelseal_check("a", &check, &report, &error), MODELSEAL_USAGE, "'keys'");
    const modelseal_check_key* none[] = {NULL};
    check.keys = none;
    EXPECT_ERROR(modelseal_check("a", &check, &report, &error), MODELSEAL_USAGE, "'key'");
    check.struct_size += 8;
    EXPECT_ERROR(modelseal_check("a", &check, &report, &error), MODELSEAL_USAGE, "struct_size");
    check.struct_size = 0;
    EXPECT_ERROR(modelseal_check("a", &check, &report, &error), MODELSEAL_USAGE, "struct_size");
    verify.signer_count = 1;
    EXPECT_ERROR(modelseal_verify("a", "s", &verify, &report, &error), MODELSEAL_USAGE, "'signers'");
    verify.signer_count = 0;
    verify.anchor_count = 1;
    EXPECT_ERROR(modelseal_verify("a", "s", &verify, &report, &error), MODELSEAL_USAGE, "'anchors'");

    /* Nobody has to ask for the error, and nothing was handed out. */
    EXPECT(modelseal_check(NULL, NULL, NULL, NULL) == MODELSEAL_USAGE);
    EXPECT(public_key == NULL && signing_key == NULL && check_key == NULL && report == NULL && text == NULL);
    modelseal_public_key_free(NULL);
    modelseal_signing_key_free(NULL);
    modelseal_check_key_free(NULL);
    modelseal_report_free(NULL);
    modelseal_error_free(NULL);
    modelseal_string_free(NULL);
    EXPECT(modelseal_error_kind(NULL) == MODELSEAL_OK);
    EXPECT(strcmp(modelseal_error_message(NULL), "") == 0 && strcmp(modelseal_error_hint(NULL), "") == 0);
    EXPECT(modelseal_report_verdict(NULL) == MODELSEAL_VERDICT_ERROR && modelseal_report_exit_code(NULL) == 3);
    EXPECT(strcmp(modelseal_report_json(NULL), "") == 0 && strcmp(modelseal_report_text(NULL), "") == 0);
}

static void test_keys(void) {
    static char right[] = "correct horse", wrong[] = "battery staple";
    modelseal_signing_key* key = NULL;
    modelseal_public_key* public_key = NULL;
    modelseal_check_key* check_key = NULL;

    EXPECT_OK(modelseal_signing_key_open(at("locked.key"), give_passphrase, right, &key, &error));
    EXPECT(key != NULL);
    EXPECT_OK(modelseal_signing_key_public(key, &public_key, &error));
    modelseal_signing_key_free(key);
    EXPECT_OK(modelseal_check_key_public(public_key, &check_key, &error));
    modelseal_public_key_free(public_key);
    modelseal_check_key_free(check_key);
    EXPECT_OK(modelseal_signing_key_open_with(at("locked.key"), right, strlen(right), &key, &error));
    modelseal_signing_key_free(key);

    const char* locked = at("locked.key");
    EXPECT_ERROR(modelseal_signing_key_open(locked, give_passphrase, wrong, &key, &error), MODELSEAL_MISMATCH,
                 "locked.key");
    EXPECT_ERROR(modelseal_signing_key_open(locked, NULL, NULL, &key, &error), MODELSEAL_USAGE,
                 "needs a passphrase");
    EXPECT_ERROR(modelseal_signing_key_open(locked, give_up, NULL, &key, &error), MODELSEAL_USAGE,
                 "needs a passphrase");
    EXPECT_ERROR(modelseal_signing_key_open(locked, claim_too_much, NULL, &key, &error), MODELSEAL_USAGE,
                 "1025 bytes");
    EXPECT_ERROR(modelseal_signing_key_open_with(locked, "", 0, &key, &error), MODELSEAL_MISMATCH,
                 "locked.key");
    EXPECT_ERROR(modelseal_signing_key_open_with(locked, NULL, 0, &key, &error), MODELSEAL_USAGE,
                 "needs a passphrase");
    EXPECT(key == NULL);

    EXPECT_ERROR(modelseal_public_key_open(at("absent.pub"), &public_key, &error), MODELSEAL_UNREADABLE,
                 "absent.pub");
    EXPECT_ERROR(modelseal_public_key_open(at("net.safetensors"), &public_key, &error), MODELSEAL_MALFORMED,
                 "net.safetensors");
    EXPECT_ERROR(modelseal_check_key_open(at("vendor.pub"), &check_key, &error), MODELSEAL_MALFORMED,
                 "vendor.pub");
    EXPECT(public_key == NULL && check_key == NULL);

    /* A key on P-384 signs models, and never seals. */
    EXPECT_OK(modelseal_public_key_open(at("signer.pub"), &public_key, &error));
    EXPECT_ERROR(modelseal_check_key_public(public_key, &check_key, &error), MODELSEAL_UNSUPPORTED, "P-384");
    modelseal_public_key_free(public_key);
}

struct counted {
    uint64_t done, total;
    int calls, backwards;
};

static void count(uint64_t done, uint64_t total, void* user) {
    struct counted* seen = user;
    seen->backwards += done < seen->done;
    seen->done = done;
    seen->total = total;
    seen->calls++;
}

static void seal_for(const char* out, const modelseal_signing_key* vendor,
                     const modelseal_check_key* customer) {
    static const modelseal_fact stamp[] = {{"version", "1.0"}, {"time", "2026-01-01T00:00:00Z"}};
    struct counted seen = {0, 0, 0, 0};
    modelseal_seal_options options = MODELSEAL_SEAL_OPTIONS_INIT;
    options.check_key = customer;
    options.stamp = stamp;
    options.stamp_count = 2;
    options.progress = count;
    options.progress_user = &seen;
    char* summary = NULL;
    EXPECT_OK(modelseal_seal(at("net.safetensors"), out, vendor, &options, &summary, &error));
    EXPECT(summary != NULL && strstr(summary, "\"schema\": \"modelseal-seal/1\"") != NULL);
    EXPECT(summary != NULL && strstr(summary, "\"tensors\": 3") != NULL);
    EXPECT(summary != NULL && strstr(summary, "\"changed_elements\": ") != NULL);
    EXPECT(summary != NULL && strstr(summary, "\"vendor_key\": ") != NULL);
    EXPECT(summary != NULL && strstr(summary, "\"version\": \"1.0\"") != NULL);
    EXPECT(seen.calls > 1 && seen.done == seen.total && seen.total >= kTensors * (uint64_t)kBytes);
    EXPECT(seen.calls < 3000 && seen.backwards == 0);
    modelseal_string_free(summary);
}

/* A check that could be made: with this verdict, exit status, and words in its JSON. */
static void expect_verdict(const char* file, const modelseal_check_options* options, modelseal_verdict verdict,
                           int exit_code, const char* words) {
    modelseal_report* report = NULL;
    EXPECT_OK(modelseal_check(file, options, &report, &error));
    if (modelseal_report_verdict(report) != verdict || modelseal_report_exit_code(report) != exit_code ||
        strstr(modelseal_report_json(report), words) == NULL ||
        strstr(modelseal_report_text(report), file) == NULL) {
        fprintf(stderr, "%s: verdict %d, exit %d, without '%s' in: %s\n", file,
                (int)modelseal_report_verdict(report), modelseal_report_exit_code(report), words,
                modelseal_report_json(report));
        failures++;
    }
    modelseal_report_free(report);
}

static void test_seal_and_check(void) {
    modelseal_signing_key* vendor = NULL;
    modelseal_public_key* vendor_public = NULL;
    modelseal_check_key *everybody = NULL, *acme = NULL;
    EXPECT_OK(modelseal_signing_key_open(at("vendor.key"), NULL, NULL, &vendor, &error));
    EXPECT_OK(modelseal_public_key_open(at("vendor.pub"), &vendor_public, &error));
    EXPECT_OK(modelseal_check_key_public(vendor_public, &everybody, &error));
    EXPECT_OK(modelseal_check_key_open(at("acme.check"), &acme, &error));
    seal_for(at("sealed.safetensors"), vendor, NULL);
    seal_for(at("acme.safetensors"), vendor, acme);

    const modelseal_check_key* keys[] = {everybody, acme};
    struct counted seen = {0, 0, 0, 0};
    modelseal_check_options options = MODELSEAL_CHECK_OPTIONS_INIT;
    options.keys = keys;
    options.key_count = 1;
    options.progress = count;
    options.progress_user = &seen;
    expect_verdict(at("sealed.safetensors"), &options, MODELSEAL_VERDICT_INTACT, 0, "\"verdict\": \"intact\"");
    EXPECT(seen.calls > 1 && seen.done > 0);
    options.progress = NULL;
    expect_verdict(at("acme.safetensors"), &options, MODELSEAL_VERDICT_UNSEALED, 4,
                   "\"verdict\": \"unsealed\"");
    options.key_count = 2;
    expect_verdict(at("acme.safetensors"), &options, MODELSEAL_VERDICT_INTACT, 0, "\"customer\": \"acme\"");

    /* One bit of one weight of the last tensor. */
    tamper(at("sealed.safetensors"), at("tampered.safetensors"), 1000);
    expect_verdict(at("tampered.safetensors"), &options, MODELSEAL_VERDICT_TAMPERED, 1, "\"output.weight\"");

    /* A caller of an earlier version, whose options end before `all`. */
    options.struct_size = offsetof(modelseal_check_options, all);
    options.all = 1;
    modelseal_report* report = NULL;
    EXPECT_OK(modelseal_check(at("tampered.safetensors"), &options, &report, &error));
    EXPECT(strstr(modelseal_report_json(report), "embed.weight") == NULL);
    modelseal_report_free(report);
    options.struct_size = sizeof options;
    expect_verdict(at("tampered.safetensors"), &options, MODELSEAL_VERDICT_TAMPERED, 1, "embed.weight");

    modelseal_fact expected = {"version", "1.0"};
    options.expect = &expected;
    options.expect_count = 1;
    expect_verdict(at("sealed.safetensors"), &options, MODELSEAL_VERDICT_INTACT, 0, "\"intact\"");
    expected.value = "2.0";
    expect_verdict(at("sealed.safetensors"), &options, MODELSEAL_VERDICT_UNEXPECTED, 1, "2.0");
    expected.value = NULL;
    EXPECT_ERROR(modelseal_check("a", &options, &report, &error), MODELSEAL_USAGE, "'value of a fact'");
    options.expect_count = 0;

    /* Could not be checked: an error, and a report that says the same. */
    EXPECT_ERROR(modelseal_check(at("absent"), &options, &report, &error), MODELSEAL_UNREADABLE, "absent");
    EXPECT(modelseal_report_verdict(report) == MODELSEAL_VERDICT_ERROR &&
           modelseal_report_exit_code(report) == 3);
    EXPECT(strstr(modelseal_report_json(report), "\"verdict\": \"error\"") != NULL);
    modelseal_report_free(report);

    EXPECT_ERROR(modelseal_seal(at("sealed.safetensors"), at("twice"), vendor, NULL, NULL, &error),
                 MODELSEAL_UNSUPPORTED, "sealed.safetensors");
    EXPECT_ERROR(modelseal_seal(at("net.safetensors"), at("net.safetensors"), vendor, NULL, NULL, &error),
                 MODELSEAL_USAGE, "net.safetensors");
    EXPECT(access(at("twice"), F_OK) != 0);

    char* json = NULL;
    EXPECT_OK(modelseal_inspect(at("sealed.safetensors"), keys, 1, &json, &error));
    EXPECT(json != NULL && strstr(json, "\"schema\": \"modelseal-inspect/1\"") != NULL);
    EXPECT(json != NULL && strstr(json, "\"version\": \"1.0\"") != NULL);
    modelseal_string_free(json);
    EXPECT_ERROR(modelseal_inspect(at("absent"), NULL, 0, &json, &error), MODELSEAL_UNREADABLE, "absent");
    EXPECT(json == NULL);

    modelseal_check_key_free(acme);
    modelseal_check_key_free(everybody);
    modelseal_public_key_free(vendor_public);
    modelseal_signing_key_free(vendor);
}

static void test_verify(void) {
    modelseal_public_key *signer = NULL, *other = NULL;
    EXPECT_OK(modelseal_public_key_open(at("signer.pub"), &signer, &error));
    EXPECT_OK(modelseal_public_key_open(at("other.pub"), &other, &error));
    const modelseal_public_key* signers[] = {signer};
    modelseal_verify_options options = MODELSEAL_VERIFY_OPTIONS_INIT;
    options.signers = signers;
    options.signer_count = 1;
    const char* signature = at("net.sig");
    modelseal_report* report = NULL;
    EXPECT_OK(modelseal_verify(at("net.safetensors"), signature, &options, &report, &error));
    EXPECT(modelseal_report_verdict(report) == MODELSEAL_VERDICT_INTACT);
    EXPECT(strstr(modelseal_report_json(report), "\"signature\"") != NULL);
    modelseal_report_free(report);

    tamper(at("net.safetensors"), at("changed.safetensors"), 1);
    EXPECT_OK(modelseal_verify(at("changed.safetensors"), signature, &options, &report, &error));
    EXPECT(modelseal_report_verdict(report) == MODELSEAL_VERDICT_TAMPERED);
    EXPECT(strstr(modelseal_report_json(report), "output.weight") != NULL);
    modelseal_report_free(report);

    signers[0] = other;
    EXPECT_OK(modelseal_verify(at("net.safetensors"), signature, &options, &report, &error));
    EXPECT(modelseal_report_verdict(report) == MODELSEAL_VERDICT_TAMPERED);
    modelseal_report_free(report);

    EXPECT_ERROR(modelseal_verify(at("net.safetensors"), at("absent.sig"), &options, &report, &error),
                 MODELSEAL_UNREADABLE, "absent.sig");
    EXPECT(modelseal_report_verdict(report) == MODELSEAL_VERDICT_ERROR);
    modelseal_report_free(report);
    modelseal_public_key_free(other);
    modelseal_public_key_free(signer);
}

#ifndef MODELSEAL_SANITIZED
/* A header of 99 MB does not fit beside what the process has: an error, and the next call works. */
static void test_without_memory(void) {
    FILE* file = fopen(at("large.safetensors"), "wb");
    EXPECT(file != NULL);
    if (file == NULL) return;
    const unsigned char start[9] = {0xc0, 0x9e, 0xe6, 0x05, 0, 0, 0, 0, '{'};
    fwrite(start, sizeof start, 1, file);
    EXPECT(fclose(file) == 0 && truncate(at("large.safetensors"), 8 + 99000000l) == 0);

    FILE* status = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;
    EXPECT(status != NULL && fscanf(status, "%lu", &pages) == 1);
    if (status != NULL) fclose(status);
    struct rlimit before, limit;
    getrlimit(RLIMIT_AS, &before);
    limit = before;
    limit.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + (8ul << 20);
    EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
    char* json = NULL;
    EXPECT_ERROR(modelseal_inspect(at("large.safetensors"), NULL, 0, &json, &error), MODELSEAL_NO_MEMORY,
                 "memory");
    EXPECT(json == NULL);
    setrlimit(RLIMIT_AS, &before);
    EXPECT_OK(modelseal_inspect(at("net.safetensors"), NULL, 0, &json, &error));
    modelseal_string_free(json);
}
#endif

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    folder = argv[1];
    if (argc == 3 && strcmp(argv[2], "write") == 0) return write_model();
    EXPECT(modelseal_version()[0] >= '0' && modelseal_version()[0] <= '9');
    test_errors_of_null();
    test_keys();
    test_seal_and_check();
    test_verify();
#ifndef MODELSEAL_SANITIZED
    test_without_memory();
#endif
    if (failures == 0) puts("the C interface works");
    return failures == 0 ? 0 : 1;
}
