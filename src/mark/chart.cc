#include "mark/chart.h"

#include <algorithm>
#include <limits>

#include "formats/bytes.h"
#include "mark/cell.h"
#include "mark/erasure.h"
#include "mark/geometry.h"

namespace modelseal::mark {
namespace {

using formats::ByteReader;
using formats::ByteWriter;

constexpr std::size_t kRecordHeadBytes = 7;
constexpr std::size_t kMaxManifestBytes = (std::size_t{1} << 24) - 1;
constexpr std::size_t kLeastPiece = 8, kMostPiece = 112, kPieceStep = 8;

using Record = Chart::Record;

// Slice `slice` of a table of `blocks` values that is cut into slices of `length`.
std::optional<Record> table_slice(std::uint64_t slice, std::uint64_t length, std::uint64_t blocks) {
    const auto first = slice * length;
    if (first >= blocks) return std::nullopt;
    return Record{Record::Kind::own_checks, static_cast<std::uint32_t>(first),
                  static_cast<std::uint16_t>(std::min(length, blocks - first))};
}

// Room in each place behind the own tables, whose records are appended; nothing if they do not fit.
std::optional<std::vector<std::size_t>> place_tables(std::span<const Place> places,
                                                     std::span<const std::uint64_t> own_blocks,
                                                     std::vector<std::vector<Record>>& records) {
    std::vector<std::uint64_t> cells(own_blocks.size()), seen(own_blocks.size());
    for (const auto& place : places) ++cells[place.tensor];
    for (std::size_t tensor = 0; tensor < cells.size(); ++tensor) {
        if (own_blocks[tensor] != 0 && cells[tensor] < 2) return std::nullopt;
    }
    std::vector<std::size_t> rooms;
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto tensor = places[i].tensor;
        auto room = places[i].capacity - kTagBytes - kHeadBytes;
        if (own_blocks[tensor] != 0) {
            const auto length = (own_blocks[tensor] + cells[tensor] - 1) / cells[tensor];
            if (length > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
            const auto ordinal = seen[tensor]++;
            for (const auto slice : {ordinal, (ordinal + cells[tensor] / 2) % cells[tensor]}) {
                const auto record = table_slice(slice, length, own_blocks[tensor]);
                if (!record) continue;
                const auto bytes = kRecordHeadBytes + record->count * sizeof(CheckValue);
                if (bytes > room) return std::nullopt;
                room -= bytes;
                records[i].push_back(*record);
            }
        }
        rooms.push_back(room);
    }
    return rooms;
}

std::size_t pieces_in(std::size_t room, std::size_t piece_bytes) {
    return room <= kRecordHeadBytes ? 0 : (room - kRecordHeadBytes) / piece_bytes;
}

// The piece length that spreads the manifest most often over the cells; of equals the longest.
std::size_t choose_piece(std::span<const std::size_t> rooms, std::size_t manifest_bytes) {
    std::size_t best = kLeastPiece;
    double most = 0;
    for (auto length = kLeastPiece; length <= kMostPiece; length += kPieceStep) {
        std::uint64_t pieces = 0;
        for (const auto room : rooms) pieces += pieces_in(room, length);
        const auto needed = (manifest_bytes + length - 1) / length;
        const auto times = static_cast<double>(pieces) / static_cast<double>(needed);
        if (times < most) continue;
        most = times;
        best = length;
    }
    return best;
}

}  // namespace

std::optional<Chart> Chart::draw(std::span<const Place> places, std::span<const std::uint64_t> own_blocks,
                                 std::size_t manifest_bytes, Spread spread) {
    if (manifest_bytes == 0 || manifest_bytes > kMaxManifestBytes) return std::nullopt;
    Chart chart;
    chart.records_.resize(places.size());
    const auto rooms = place_tables(places, own_blocks, chart.records_);
    if (!rooms) return std::nullopt;
    chart.piece_bytes_ = choose_piece(*rooms, manifest_bytes);
    const auto needed = Erasure(manifest_bytes, chart.piece_bytes_).data_pieces();
    std::uint32_t next = 0;
    std::size_t holders = 0;
    std::vector<std::uint64_t> in_tensor(own_blocks.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
        // A cell is lost as a whole, so it holds no more than what restores the manifest by itself.
        const auto count = std::min(pieces_in((*rooms)[i], chart.piece_bytes_), needed);
        if (count == 0) continue;
        chart.records_[i].push_back({Record::Kind::manifest, next, static_cast<std::uint16_t>(count)});
        next += static_cast<std::uint32_t>(count);
        in_tensor[places[i].tensor] += count;
        ++holders;
    }
    const auto largest = in_tensor.empty() ? 0 : *std::ranges::max_element(in_tensor);
    if (holders < 2 || next < 2 * needed) return std::nullopt;
    if (spread == Spread::beyond_any_tensor && next - largest < needed + needed / 8) return std::nullopt;
    return chart;
}

std::vector<std::byte> head_bytes(const CellHead& head) {
    return ByteWriter()
        .number(static_cast<std::uint8_t>(head.rate_step))
        .number(static_cast<std::uint8_t>(head.carrier_class))
        .number(static_cast<std::uint16_t>(head.manifest_bytes))
        .number(static_cast<std::uint8_t>(head.manifest_bytes >> 16))
        .number(static_cast<std::uint8_t>(head.piece_bytes))
        .take();
}

std::optional<CellHead> parse_head(std::span<const std::byte, kHeadBytes> bytes) {
    ByteReader reader(bytes);
    CellHead head;
    head.rate_step = reader.number<std::uint8_t>();
    head.carrier_class = reader.number<std::uint8_t>();
    head.manifest_bytes = reader.number<std::uint16_t>();
    head.manifest_bytes |= std::uint32_t{reader.number<std::uint8_t>()} << 16;
    head.piece_bytes = reader.number<std::uint8_t>();
    if (head.rate_step > kRateSteps || head.carrier_class >= kClasses || head.manifest_bytes == 0 ||
        head.piece_bytes < kLeastPiece || head.piece_bytes > kMostPiece || head.piece_bytes % kPieceStep != 0) {
        return std::nullopt;
    }
    return head;
}

std::vector<std::byte> cell_content(std::size_t bytes, const CellHead& head, std::span<const Record> records,
                                    std::span<const CheckValue> own, std::span<const std::byte> manifest) {
    ByteWriter writer;
    writer.raw(head_bytes(head));
    const Erasure code(manifest.size(), head.piece_bytes);
    for (const auto& record : records) {
        writer.number(static_cast<std::uint8_t>(record.kind)).number(record.first).number(record.count);
        for (std::uint32_t i = 0; i < record.count; ++i) {
            if (record.kind == Record::Kind::own_checks) {
                writer.number(own[record.first + i]);
            } else {
                writer.raw(code.piece(manifest, record.first + i));
            }
        }
    }
    auto content = writer.take();
    content.resize(bytes);
    return content;
}

std::optional<CellContent> parse_content(std::span<const std::byte> bytes) {
    ByteReader reader(bytes);
    const auto start = reader.raw(kHeadBytes);
    if (!reader.ok()) return std::nullopt;
    const auto head = parse_head(start.first<kHeadBytes>());
    if (!head) return std::nullopt;
    CellContent content{.head = *head};
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
            for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
                content.pieces.push_back({std::uint64_t{first} + i, reader.raw(head->piece_bytes)});
            }
        } else {
            return std::nullopt;
        }
    }
    if (!reader.ok()) return std::nullopt;
    return content;
}

}  // namespace modelseal::mark
