#include "cli/options/remedies.h"

namespace modelseal::cli {
namespace {

template <class Hinted>
void reword(Hinted& hinted) {
    if (const auto hint = hint_of(hinted.remedy); !hint.empty()) hinted.hint = hint;
}

}  // namespace

std::string_view hint_of(Remedy remedy) {
    switch (remedy) {
        case Remedy::none:
            return {};
        case Remedy::give_public_key:
            return "give the vendor's public key with --pub NAME.pub";
        case Remedy::give_check_key:
            return "give the customer's check key with --key CUSTOMER.check";
        case Remedy::try_check_key:
            return "a seal for one customer is found with their check key: --key CUSTOMER.check";
        case Remedy::give_vendor_key:
            return "give the vendor's key with -k NAME.key";
        case Remedy::make_key:
            return "'modelseal keygen NAME' makes a key, and so does 'openssl genpkey -algorithm ed25519'";
        case Remedy::make_p256_key:
            return "'modelseal keygen NAME --type p256' makes a key for seals and for signatures of files";
        case Remedy::export_token_key:
            return "'modelseal keygen NAME --from URI' writes the public key to NAME.pub";
        case Remedy::give_pin:
            return "give a file as pin-source, or the PIN with --passphrase-file or in MODELSEAL_PASSPHRASE";
        case Remedy::allow_derivation:
            return "make the key with 'pkcs11-tool --keypairgen --usage-sign --usage-derive'";
        case Remedy::trust_signer:
            return "give the signer's public key (check: --signer PEM, verify: --pub PEM), or the certificate "
                   "of "
                   "an authority with --cert-chain PEM";
        case Remedy::trust_authority:
            return "give the certificate of an authority that you trust with --cert-chain PEM";
        case Remedy::trust_identity:
            return "give --trusted-root JSON, --identity NAME and --issuer URL";
        case Remedy::trust_timestamps:
            return "an expired certificate needs a timestamp: give the certificate of its authority with "
                   "--tsa-chain PEM";
        case Remedy::give_certificate:
            return "give the signer's certificate with --cert PEM";
        case Remedy::give_signature:
            return "give the signature's file with --signature SIG";
        case Remedy::choose_signature:
            return "give another path with -o, or move this signature first";
        case Remedy::verify_signature:
            return "'modelseal verify' verifies the signature";
        case Remedy::follow_links:
            return "follow links to files with --allow-symlinks, or replace them by their files: cp -rL FOLDER "
                   "COPY";
        case Remedy::ignore_file:
            return "take the file out of the model, or leave it out of the signature with --ignore PATH";
        case Remedy::omit_tensors:
            return "leave the digests of tensors out with --no-tensors";
        case Remedy::reseal:
            return "seal the original, or put a new seal over the old one with --reseal";
        case Remedy::check_seal:
            return "'modelseal check' shows what changed";
        case Remedy::use_modelseal_scheme:
            return "use --scheme modelseal, which takes any type of weights";
        case Remedy::accept_deepisign:
            return "accept such a mark with --scheme deepisign";
        case Remedy::check_each:
            return "check each model in the folder on its own with --each";
        case Remedy::check_folder:
            return "give 'modelseal check' the folder that holds all files of the model";
        case Remedy::choose_output:
            return "give another path with -o; the original stays as it is";
        case Remedy::give_fingerprint:
            return "give the fingerprint that the vendor made for you with --fingerprint FP";
        case Remedy::give_input_shape:
            return "give the shape of the input with --input-shape C,H,W";
        case Remedy::give_inputs:
            return "give each of them with --input NAME=SHAPE:LO,HI, or --input NAME=SHAPE:VALUE";
        case Remedy::give_input_range:
            return "give the range of the inputs that the model was trained for with --input-range LO,HI";
        case Remedy::review_inputs:
            return "check --input-range, --mean and --std, or ask for fewer --pairs";
        case Remedy::use_label_access:
            return "make a fingerprint with --access label for such a service";
        case Remedy::use_output_values:
            return "give --access logits or --access probabilities, and --grid none";
        case Remedy::use_mixed_rung:
            return "let the service answer in float32 with all digits; for a service that computes in less, "
                   "check with --rung mixed, which finds larger changes only";
        case Remedy::use_cpu:
            return "use the CPU with --device cpu";
        case Remedy::allow_more_time:
            return "for a slow server, raise the limit with --max-seconds N";
        case Remedy::make_ledger:
            return "'modelseal customer add' makes a ledger";
        case Remedy::list_customers:
            return "'modelseal customer list' shows the customers, 'modelseal customer add' adds one";
        case Remedy::show_customer:
            return "'modelseal customer show' shows the customer";
        case Remedy::add_customer:
            return "'modelseal customer add NAME --check-key FILE' adds the customer with the check key they "
                   "have";
        case Remedy::use_ledger_key:
            return "give the customer's name with --for NAME, so that the key in the ledger is taken";
        case Remedy::make_mark:
            return "'modelseal identity embed' gives a model its additional class and records it in the ledger";
        case Remedy::choose_mark:
            return "name the mark with --mark ID; 'modelseal inspect LEDGER' lists their ids";
        case Remedy::export_registry:
            return "'modelseal identity export' writes a new registry";
        case Remedy::export_images:
            return "the vendor adds key images to a registry with 'modelseal identity export "
                   "--with-key-images'";
    }
    return {};
}

std::string hint_of(const Error& error) {
    const auto hint = hint_of(error.remedy);
    return hint.empty() ? error.hint : std::string(hint);
}

void name_options(CheckReport& report) {
    reword(report);
    if (report.seal) reword(*report.seal);
    if (report.fingerprint) reword(*report.fingerprint);
    if (report.signature) reword(*report.signature);
    for (auto& missing : report.missing) reword(missing);
}

}  // namespace modelseal::cli
