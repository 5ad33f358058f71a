#include "report/summaries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace modelseal::report {
namespace {

using testing::HasSubstr;
using testing::Not;

FingerprintSummary summary() {
    return {.id = "1234",
            .root = "00ff",
            .sealed = true,
            .classes = 10,
            .rungs = {{Rung::exact, 150, 0, 1e-6}, {Rung::fp32, 149, 4e-5, 3e-4}},
            .evaluations = 41'200,
            .seconds = 12.34,
            .device = "cpu",
            .notes = {"the shape was assumed"}};
}

TEST(FingerprintSummary, IsPrintedAsText) {
    const auto text = to_text(summary(), "net.fp", {});
    EXPECT_TRUE(text.starts_with("fingerprint net.fp\n"));
    EXPECT_THAT(text, HasSubstr("fp32     149  4.0e-05  3.0e-04\n"));
    EXPECT_THAT(text, HasSubstr("41,200 evaluations in 12.3 s on cpu, 10 classes\n"));
    EXPECT_THAT(text, HasSubstr("bound to the seal 00ff\n"));
    auto open = summary();
    open.sealed = false;
    EXPECT_THAT(to_text(open, "net.fp", {}), HasSubstr("bound to the file, which carries no seal, 00ff"));
    EXPECT_THAT(to_text(summary(), "a\x1b[31m", {}), Not(HasSubstr("\x1b")));
}

TEST(FingerprintSummary, IsPrintedAsJson) {
    const auto parsed = nlohmann::json::parse(to_json(summary(), "net.fp"));
    EXPECT_EQ(parsed["schema"], "modelseal-fingerprint/1");
    EXPECT_EQ(parsed["file"], "net.fp");
    EXPECT_EQ(parsed["rungs"][1]["name"], "fp32");
    EXPECT_EQ(parsed["rungs"][1]["pairs"], 149);
    EXPECT_EQ(parsed["evaluations"], 41'200);
    EXPECT_EQ(parsed["notes"].size(), 1u);
}

SealSummary seal_summary() {
    return {.format = "onnx",
            .files = 2,
            .bytes = 1'100'000,
            .tensors = 65,
            .elements = 1'000,
            .cells = 25,
            .touched = 71,
            .root = "00ff",
            .stamp = {{"name", "net"}, {"version", "\xff"}},
            .left_out = {{".git", "version control"}},
            .warnings = {"one part is missing"}};
}

const Sealing kSealing{
    .model = "net.onnx", .out = "out\x1b.onnx", .receipt = "net.receipt", .vendor_key = "0123456789abcdef"};

TEST(SealSummary, IsPrintedAsText) {
    EXPECT_EQ(to_text(seal_summary(), kSealing, {}), R"(sealed out\x1b.onnx
  65 tensors, 1,000 elements, 1.1 MB of onnx
  71 weights changed (7.10 %), in 25 cells
  name: net
  version: \xff
  key: 0123456789abcdef
  root: 00ff
  receipt: net.receipt (keep it secret: it removes the seal)
  left out: .git (version control)
)");
}

TEST(SealSummary, IsPrintedAsJson) {
    const auto parsed = nlohmann::ordered_json::parse(to_json(seal_summary(), kSealing));
    EXPECT_EQ(parsed, nlohmann::ordered_json::parse(R"({
        "schema": "modelseal-seal/1", "target": "net.onnx", "output": "out\u001b.onnx", "receipt": "net.receipt",
        "scheme": "modelseal", "vendor_key": "0123456789abcdef", "root": "00ff",
        "stamp": {"name": "net", "version": "\\xff"}, "format": "onnx", "files": 2, "bytes": 1100000, "tensors": 65,
        "elements": 1000, "changed_elements": 71, "cells": 25,
        "left_out": [{"path": ".git", "what": "version control"}], "warnings": ["one part is missing"]})"));
    auto bare = kSealing;
    bare.receipt.reset();
    bare.scheme = Scheme::deepisign;
    auto without_root = seal_summary();
    without_root.root.clear();
    const auto other = nlohmann::json::parse(to_json(without_root, bare));
    EXPECT_EQ(other["scheme"], "deepisign");
    EXPECT_FALSE(other.contains("receipt") || other.contains("root"));
}

TEST(SignSummary, IsPrintedAsTextAndAsJson) {
    const SignSummary made{.files = 1,
                           .bytes = 1'100'000,
                           .tensors = 2,
                           .root = "00ff",
                           .method = "key",
                           .signer = "0123456789abcdef",
                           .warnings = {"no tensors"}};
    EXPECT_EQ(to_text(made, "net", "model.sig", {}),
              "signed net\n  1 file, 1.1 MB, 2 tensors in model.sig\n  key 0123456789abcdef\n  root 00ff\n");
    const auto parsed = nlohmann::json::parse(to_json(made, "net", "model.sig"));
    EXPECT_EQ(parsed["schema"], "modelseal-sign/1");
    EXPECT_EQ(parsed["target"], "net");
    EXPECT_EQ(parsed["signature"], "model.sig");
    EXPECT_EQ(parsed["signer"], "0123456789abcdef");
    EXPECT_EQ(parsed["warnings"].size(), 1u);
}

}  // namespace
}  // namespace modelseal::report
