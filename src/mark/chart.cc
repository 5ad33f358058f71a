#include "mark/chart.h"

#include <algorithm>
#include <limits>

#include "mark/bytes.h"
#include "mark/cell.h"
#include "mark/geometry.h"

namespace modelseal::mark {
namespace {

constexpr std::size_t kHeadBytes = 2;
constexpr std::size_t kRecordHeadBytes = 7;
constexpr std::size_t kLeastPiece = 8;  // a shorter piece of the manifest is not worth its head

using Record = Chart::Record;

std::size_t payload_bytes(const Record& record) {
    return record.kind == Record::Kind::own_checks ? record.count * sizeof(CheckValue) : record.count;
}

// Slice `slice` of a table of `blocks` values that is cut into slices of `length`.
std::optional<Record> table_slice(std::uint64_t slice, std::uint64_t length, std::uint64_t blocks) {
    const auto first = slice * length;
    if (first >= blocks) return std::nullopt;
    return Record{Record::Kind::own_checks, static_cast<std::uint32_t>(first),
                  static_cast<std::uint16_t>(std::min(length, blocks - first))};
}

}  // namespace

std::optional<Chart> Chart::draw(std::span<const Place> places, std::span<const std::uint64_t> own_blocks,
                                 std::size_t manifest_bytes) {
    std::vector<std::uint64_t> cells(own_blocks.size());
    for (const auto& place : places) ++cells[place.tensor];
    for (std::size_t tensor = 0; tensor < cells.size(); ++tensor) {
        if (own_blocks[tensor] != 0 && cells[tensor] < 2) return std::nullopt;
    }
    Chart chart;
    chart.records_.resize(places.size());
    std::vector<std::uint64_t> seen(own_blocks.size());
    std::uint64_t cursor = 0, written = 0;
    std::size_t holders = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
        auto& records = chart.records_[i];
        const auto tensor = places[i].tensor;
        std::size_t room = places[i].capacity - kTagBytes - kHeadBytes;
        if (own_blocks[tensor] != 0) {
            const auto length = (own_blocks[tensor] + cells[tensor] - 1) / cells[tensor];
            if (length > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
            const auto ordinal = seen[tensor]++;
            for (const auto slice : {ordinal, (ordinal + cells[tensor] / 2) % cells[tensor]}) {
                const auto record = table_slice(slice, length, own_blocks[tensor]);
                if (!record) continue;
                if (kRecordHeadBytes + payload_bytes(*record) > room) return std::nullopt;
                room -= kRecordHeadBytes + payload_bytes(*record);
                records.push_back(*record);
            }
        }
        // At most one whole manifest a cell: a second copy in the same block would be lost with the first.
        std::size_t allowed = manifest_bytes;
        while (allowed > 0 && room >= kRecordHeadBytes + std::min(kLeastPiece, allowed)) {
            const auto piece =
                std::min({room - kRecordHeadBytes, allowed, manifest_bytes - static_cast<std::size_t>(cursor),
                          std::size_t{std::numeric_limits<std::uint16_t>::max()}});
            records.push_back({Record::Kind::manifest, static_cast<std::uint32_t>(cursor),
                               static_cast<std::uint16_t>(piece)});
            cursor = (cursor + piece) % manifest_bytes;
            room -= kRecordHeadBytes + piece;
            allowed -= piece;
            written += piece;
        }
        holders += allowed != manifest_bytes;
    }
    if (written < 2 * std::uint64_t{manifest_bytes} || holders < 2) return std::nullopt;
    return chart;
}

std::vector<std::byte> cell_content(std::size_t bytes, unsigned rate_step, unsigned carrier_class,
                                    std::span<const Record> records, std::span<const CheckValue> own,
                                    std::span<const std::byte> manifest) {
    ByteWriter writer;
    writer.number(static_cast<std::uint8_t>(rate_step)).number(static_cast<std::uint8_t>(carrier_class));
    for (const auto& record : records) {
        writer.number(static_cast<std::uint8_t>(record.kind)).number(record.first).number(record.count);
        if (record.kind == Record::Kind::own_checks) {
            for (const auto value : own.subspan(record.first, record.count)) writer.number(value);
        } else {
            writer.raw(manifest.subspan(record.first, record.count));
        }
    }
    auto content = writer.take();
    content.resize(bytes);
    return content;
}

std::optional<CellContent> parse_content(std::span<const std::byte> bytes) {
    ByteReader reader(bytes);
    CellContent content;
    content.rate_step = reader.number<std::uint8_t>();
    content.carrier_class = reader.number<std::uint8_t>();
    if (!reader.ok() || content.rate_step > kRateSteps || content.carrier_class >= kClasses)
        return std::nullopt;
    while (reader.left() >= kRecordHeadBytes) {
        const auto kind = reader.number<std::uint8_t>();
        if (kind == 0) break;
        const auto first = reader.number<std::uint32_t>();
        const auto count = reader.number<std::uint16_t>();
        if (kind == static_cast<std::uint8_t>(Record::Kind::own_checks)) {
            CellContent::Own own{first, {}};
            for (std::size_t i = 0; i < count && reader.ok(); ++i)
                own.values.push_back(reader.number<CheckValue>());
            content.own.push_back(std::move(own));
        } else if (kind == static_cast<std::uint8_t>(Record::Kind::manifest)) {
            const auto piece = reader.raw(count);
            content.manifest.push_back({first, {piece.begin(), piece.end()}});
        } else {
            return std::nullopt;
        }
    }
    if (!reader.ok()) return std::nullopt;
    return content;
}

}  // namespace modelseal::mark
