/*
 * The C interface of modelseal: seal models, check them, verify their signatures. C11; link libmodelseal_c.
 *
 *     modelseal_error* error = NULL;
 *     modelseal_public_key* vendor = NULL;
 *     modelseal_check_key* key = NULL;
 *     modelseal_report* report = NULL;
 *     if (modelseal_public_key_open("vendor.pub", &vendor, &error) == MODELSEAL_OK &&
 *         modelseal_check_key_public(vendor, &key, &error) == MODELSEAL_OK) {
 *         const modelseal_check_key* keys[] = {key};
 *         modelseal_check_options options = MODELSEAL_CHECK_OPTIONS_INIT;
 *         options.keys = keys;
 *         options.key_count = 1;
 *         if (modelseal_check("net.onnx", &options, &report, &error) == MODELSEAL_OK &&
 *             modelseal_report_verdict(report) != MODELSEAL_VERDICT_INTACT)
 *             puts(modelseal_report_json(report));
 *     }
 *     if (error != NULL) fprintf(stderr, "%s\n", modelseal_error_message(error));
 *     modelseal_report_free(report);
 *     modelseal_check_key_free(key);
 *     modelseal_public_key_free(vendor);
 *     modelseal_error_free(error);
 *
 * Errors. A call that can fail returns MODELSEAL_OK or the kind of its error; its last parameter, which may be NULL,
 * then receives an error object with a message and a hint. Output parameters are set to NULL first, and stay NULL
 * after an error (of the report, see modelseal_check). NULL for a parameter that must be there is MODELSEAL_USAGE.
 * No C++ exception leaves a call; running out of memory is MODELSEAL_NO_MEMORY.
 *
 * Ownership. What a call hands out belongs to the caller, who frees it with the function named after its type; each
 * accepts NULL. Text that an object returns lives as long as the object. Nothing that is passed in is kept after the
 * call returns, and no object refers to another: a key may be freed before the check key that was made from it.
 *
 * Threads. Calls may run at the same time, and any number of them may use one object at once; to free an object, no
 * other call may be using it. There is no global state. A job uses up to `jobs` threads of its own.
 *
 * Text. Paths are bytes as the operating system takes them. All other text is UTF-8. Messages can be shown on a
 * terminal; JSON is pure ASCII and ends with a newline.
 *
 * Compatibility. Functions, numbers and fields are only ever added: an option structure begins with its own size, as
 * its _INIT macro sets it, and fields that a caller does not know of are taken as zero.
 */
#ifndef MODELSEAL_C_H
#define MODELSEAL_C_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the library that is loaded: "1.2.3". Static storage. */
const char* modelseal_version(void);

/* ---- errors ---- */

/* What a call came to. The numbers are fixed. */
typedef enum modelseal_status {
    MODELSEAL_OK = 0,
    MODELSEAL_USAGE = 1,      /* the arguments make no sense */
    MODELSEAL_UNREADABLE = 2, /* the operating system refused: missing file, no permission, no space, changed */
    MODELSEAL_MALFORMED = 3,  /* the bytes break the rules of their format */
    MODELSEAL_UNSUPPORTED = 4, /* the bytes may be fine, but this library does not handle them */
    MODELSEAL_MISMATCH = 5,    /* readable, and it does not match: wrong key, wrong passphrase, forged */
    MODELSEAL_INTERNAL = 6,    /* a bug in the library */
    MODELSEAL_NO_MEMORY = 7
} modelseal_status;

typedef struct modelseal_error modelseal_error;

/* MODELSEAL_OK for NULL. */
modelseal_status modelseal_error_kind(const modelseal_error* error);
/* What is wrong, where, and how much: "net.onnx: tensor 'w1': needs 16 bytes at 0x40, file has 12". "" for NULL. */
const char* modelseal_error_message(const modelseal_error* error);
/* What may help; "" if there is nothing to say, and for NULL. */
const char* modelseal_error_hint(const modelseal_error* error);
void modelseal_error_free(modelseal_error* error);

/* ---- keys ---- */

/* A vendor's or signer's public key: verifies. */
typedef struct modelseal_public_key modelseal_public_key;
/* A vendor's secret key: seals. Wiped when it is freed. */
typedef struct modelseal_signing_key modelseal_signing_key;
/* Where the mark of a seal is, and whose signature it carries: checks. Wiped when it is freed. */
typedef struct modelseal_check_key modelseal_check_key;

/* Reads NAME.pub (SubjectPublicKeyInfo, PEM): Ed25519, or EC on P-256, P-384 or P-521. */
modelseal_status modelseal_public_key_open(const char* path, modelseal_public_key** key,
                                           modelseal_error** error);

/* Room for a passphrase, in bytes. */
#define MODELSEAL_PASSPHRASE_MAX 1024

/*
 * Asks for the passphrase of the encrypted key in `file` (of a key in a token: for its PIN). Writes at most `size` bytes
 * to `buffer`, without a terminating zero, and returns how many; a negative number gives up. `size` is
 * MODELSEAL_PASSPHRASE_MAX. The buffer is wiped by the library. Called at most once, in the thread of the call.
 */
typedef int (*modelseal_passphrase_fn)(const char* file, char* buffer, size_t size, void* user);

/*
 * Reads NAME.key (PKCS#8, PEM; Ed25519 or P-256), or opens a key in a token (`path` is a PKCS#11 URI, RFC 7512).
 * `ask` may be NULL; an encrypted key is then MODELSEAL_USAGE, as it is when `ask` gives up. A wrong passphrase is
 * MODELSEAL_MISMATCH.
 */
modelseal_status modelseal_signing_key_open(const char* path, modelseal_passphrase_fn ask, void* user,
                                            modelseal_signing_key** key, modelseal_error** error);
/* The same with a passphrase at hand: `size` bytes, which may be 0. */
modelseal_status modelseal_signing_key_open_with(const char* path, const char* passphrase, size_t size,
                                                 modelseal_signing_key** key, modelseal_error** error);
/* Its public half. */
modelseal_status modelseal_signing_key_public(const modelseal_signing_key* key,
                                              modelseal_public_key** public_key, modelseal_error** error);

/* Reads NAME.check: a customer's check key. */
modelseal_status modelseal_check_key_open(const char* path, modelseal_check_key** key, modelseal_error** error);
/*
 * The check key of everybody who has the vendor's public key. MODELSEAL_UNSUPPORTED for a key that signs models but
 * cannot seal them (P-384, P-521).
 */
modelseal_status modelseal_check_key_public(const modelseal_public_key* vendor, modelseal_check_key** key,
                                            modelseal_error** error);

void modelseal_public_key_free(modelseal_public_key* key);
void modelseal_signing_key_free(modelseal_signing_key* key);
void modelseal_check_key_free(modelseal_check_key* key);

/* ---- jobs ---- */

/*
 * How far a job is, in bytes or steps; `total` is 0 as long as it is not known. Called at most about a thousand times,
 * from threads of the library, never from two at once. It must return: a job cannot be canceled (kill the process: an
 * output appears complete or not at all).
 */
typedef void (*modelseal_progress_fn)(uint64_t done, uint64_t total, void* user);

/* A signed fact about a model: both are UTF-8, neither is NULL. */
typedef struct modelseal_fact {
    const char *key, *value;
} modelseal_fact;

typedef struct modelseal_seal_options {
    size_t struct_size;
    /* Whose check key finds the seal; NULL: everybody's. Must belong to the signing key. */
    const modelseal_check_key* check_key;
    /* Facts to sign, at most 4,096 bytes together. "name" and "time" are filled in where missing. */
    const modelseal_fact* stamp;
    size_t stamp_count;
    /* Sealed model, by the same keys, that this one derives from; NULL: none. */
    const char* parent;
    /* Where to keep what unsealing takes (secret, mode 0600); NULL: nowhere. */
    const char* receipt;
    int reseal;    /* nonzero: seal again what already carries a seal under these keys */
    unsigned jobs; /* threads; 0: one for each processor */
    modelseal_progress_fn progress;
    void* progress_user;
    const char* device; /* that hashes the weights: "cpu", "cuda", "cuda:N", or "auto", as NULL */
} modelseal_seal_options;
#define MODELSEAL_SEAL_OPTIONS_INIT \
    { sizeof(modelseal_seal_options), NULL, NULL, 0, NULL, NULL, 0, 0, NULL, NULL, NULL }

/*
 * Writes a sealed copy of the model file or folder `model` to `out`, complete or not at all, and checks it before it
 * appears. `options` may be NULL. `summary`, which may be NULL, receives JSON as 'modelseal seal --json' prints it (schema
 * modelseal-seal/1), freed by modelseal_string_free(). MODELSEAL_USAGE: out is the model, or a bad stamp;
 * MODELSEAL_UNSUPPORTED: already sealed, or too small to carry a mark.
 */
modelseal_status modelseal_seal(const char* model, const char* out, const modelseal_signing_key* key,
                                const modelseal_seal_options* options, char** summary, modelseal_error** error);

/* The numbers are fixed. */
typedef enum modelseal_verdict {
    MODELSEAL_VERDICT_INTACT = 0,    /* everything that was expected was checked and holds */
    MODELSEAL_VERDICT_TAMPERED = 1,  /* changed or forged */
    MODELSEAL_VERDICT_UNSEALED = 2,  /* nothing found to check against: never a proof of anything */
    MODELSEAL_VERDICT_ERROR = 3,     /* could not be checked */
    MODELSEAL_VERDICT_UNEXPECTED = 4 /* as sealed, but another model or version than was expected */
} modelseal_verdict;

typedef struct modelseal_report modelseal_report;

/* MODELSEAL_VERDICT_ERROR for NULL. */
modelseal_verdict modelseal_report_verdict(const modelseal_report* report);
/* Exit status of the program for this report: 0 to 4, see modelseal-check(1). 3 for NULL. */
int modelseal_report_exit_code(const modelseal_report* report);
/* As 'modelseal check --json' prints it (schema modelseal-check/1). "" for NULL. */
const char* modelseal_report_json(const modelseal_report* report);
/* As 'modelseal check' prints it on a terminal of 80 columns, without colors. "" for NULL. */
const char* modelseal_report_text(const modelseal_report* report);
void modelseal_report_free(modelseal_report* report);

typedef struct modelseal_check_options {
    size_t struct_size;
    /* Tried in turn; the first under which a seal is found counts. At least one. */
    const modelseal_check_key* const* keys;
    size_t key_count;
    /* Facts that the seal's stamp must have. */
    const modelseal_fact* expect;
    size_t expect_count;
    int weights_only; /* nonzero: a changed frame around intact weights passes */
    int all;          /* nonzero: list intact tensors as well */
    unsigned jobs;
    modelseal_progress_fn progress;
    void* progress_user;
    const char* device; /* that hashes the weights: "cpu", "cuda", "cuda:N", or "auto", as NULL */
} modelseal_check_options;
#define MODELSEAL_CHECK_OPTIONS_INIT \
    { sizeof(modelseal_check_options), NULL, 0, NULL, 0, 0, 0, 0, NULL, NULL, NULL }

/*
 * Checks the seal of a model file or folder. MODELSEAL_OK means that it was checked, not that it is intact: look at the
 * verdict. If it could not be checked the call fails, and the report is there nevertheless, with
 * MODELSEAL_VERDICT_ERROR and the same facts as JSON; it is NULL only after MODELSEAL_NO_MEMORY and wrong arguments.
 */
modelseal_status modelseal_check(const char* model, const modelseal_check_options* options,
                                 modelseal_report** report, modelseal_error** error);

/* The values of a tensor in the memory of a graphics card: dense, in the type and order that the model's file has them. */
typedef struct modelseal_loaded_tensor {
    const char* name;   /* in the model */
    const void* memory; /* an address on the card */
    uint64_t bytes;
} modelseal_loaded_tensor;

/*
 * As modelseal_check(), for an engine that has loaded the weights: values of the `count` tensors are those in the memory of
 * the card `card` (0: the first), and are hashed there; all else is read from the files of `model`. So if the report says
 * intact, these tensors are what was sealed where the card computes with them. Whatever wrote them must have finished, and
 * nothing may write to them during the call. `options->device` does not count. MODELSEAL_USAGE for a tensor that the model
 * does not have, or has with another number of bytes; MODELSEAL_UNSUPPORTED without such a card, or without the module
 * for cards that modelseal installs.
 */
modelseal_status modelseal_check_loaded(const char* model, int card, const modelseal_loaded_tensor* tensors,
                                        size_t count, const modelseal_check_options* options,
                                        modelseal_report** report, modelseal_error** error);

typedef struct modelseal_verify_options {
    size_t struct_size;
    /* Whom to trust, one of the three. Keys, one of which must have signed: */
    const modelseal_public_key* const* signers;
    size_t signer_count;
    /* or PEM files of authorities that end a chain, and the subject of the signer's certificate (RFC 2253;
     * NULL: any); */
    const char* const* anchors;
    size_t anchor_count;
    const char* subject;
    /* or Sigstore's trusted root (a JSON file), for keyless signatures, with the identity that must have signed and the
     * URL of its provider. */
    const char *trusted_root, *identity, *issuer;
    int ignore_unsigned_files; /* nonzero: compare only what the signature lists */
    unsigned jobs;
    modelseal_progress_fn progress;
    void* progress_user;
} modelseal_verify_options;
#define MODELSEAL_VERIFY_OPTIONS_INIT \
    { sizeof(modelseal_verify_options), NULL, 0, NULL, 0, NULL, NULL, NULL, NULL, 0, 0, NULL, NULL }

/*
 * Verifies the OpenSSF model signature in the file `signature` of a model file or folder. Report and failures are as of
 * modelseal_check(); the JSON is that of 'modelseal verify --json'.
 */
modelseal_status modelseal_verify(const char* model, const char* signature,
                                  const modelseal_verify_options* options, modelseal_report** report,
                                  modelseal_error** error);

/*
 * What a file or folder is and holds, as 'modelseal inspect --json' prints it (schema modelseal-inspect/1). A model's
 * seal is looked for under the `key_count` keys, which may be none. `json` is freed by modelseal_string_free().
 */
modelseal_status modelseal_inspect(const char* path, const modelseal_check_key* const* keys, size_t key_count,
                                   char** json, modelseal_error** error);

void modelseal_string_free(char* text);

#ifdef __cplusplus
}
#endif

#endif
