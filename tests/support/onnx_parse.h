// ONNX bytes in, a layout that was held against the contract out.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "formats/reader.h"
#include "formats/registry.h"
#include "tests/support/hex.h"
#include "tests/support/layout_contract.h"
#include "tests/support/models/onnx_builder.h"

namespace modelseal::test::onnx {

inline Result<Layout> parsed(const std::string& bytes, const Limits& limits = {}) {
    const formats::MemorySource source("m.onnx", as_bytes(bytes));
    auto layout = formats::onnx::kFormat.parse(source, limits);
    if (layout.ok()) {
        EXPECT_EQ(contract_violation(*layout, source), "");
    }
    return layout;
}

inline Result<Layout> parsed(const Proto& model, const Limits& limits = {}) {
    return parsed(model.text(), limits);
}

}  // namespace modelseal::test::onnx
