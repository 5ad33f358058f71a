#include "mark/layout.h"

#include <algorithm>
#include <limits>

#include "formats/bytes.h"

namespace modelseal::mark {
namespace {

using formats::ByteReader;
using formats::ByteWriter;

constexpr std::size_t kMaxManifestBytes = (std::size_t{1} << 24) - 1;
constexpr std::size_t kLeastPiece = 8, kMostPiece = 112, kPieceStep = 8;

using Record = CellLayout::Record;

// Slice `slice` of a table of `blocks` values that is cut into slices of `length`.
std::optional<Record> table_slice(std::uint64_t slice, std::uint64_t length, std::uint64_t blocks) {
    const auto first = slice * length;
    if (first >= blocks) return std::nullopt;
    return Record{static_cast<std::uint32_t>(first),
                  static_cast<std::uint16_t>(std::min(length, blocks - first)), Record::Kind::own_checks};
}

// Room in each slot after the own tables, whose records are appended; nothing if they do not fit.
std::optional<std::vector<std::size_t>> lay_own_tables(std::span<const CellSlot> slots,
                                                       std::span<const std::uint64_t> own_blocks,
                                                       Version version,
                                                       std::span<CellLayout::Records> records) {
    std::vector<std::uint64_t> cells(own_blocks.size()), seen(own_blocks.size());
    for (const auto& slot : slots) ++cells[slot.tensor];
    for (std::size_t tensor = 0; tensor < cells.size(); ++tensor) {
        if (own_blocks[tensor] != 0 && cells[tensor] < 2) return std::nullopt;
    }
    std::vector<std::size_t> rooms;
    rooms.reserve(slots.size());
    for (std::size_t i = 0; i < slots.size(); ++i) {
        const auto tensor = slots[i].tensor;
        auto room = slots[i].capacity - kTagBytes - kHeadBytes;
        if (own_blocks[tensor] != 0) {
            const auto length = (own_blocks[tensor] + cells[tensor] - 1) / cells[tensor];
            if (length > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
            const auto ordinal = seen[tensor]++;
            // Slice x is in cells x and x - c / 2 (mod c) of the c of this tensor: two different ones, since c
            // is at least 2, and far apart in keyed order, so that one change is unlikely to take both.
            for (const auto slice : {ordinal, (ordinal + cells[tensor] / 2) % cells[tensor]}) {
                const auto record = table_slice(slice, length, own_blocks[tensor]);
                if (!record) continue;
                const auto bytes = kRecordHeadBytes + record->count * check_bytes(version);
                if (bytes > room) return std::nullopt;
                room -= bytes;
                records[i].add(*record);
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

// Content (capacity less tag) of one cell. `own`: all check values of its tensor.
std::vector<std::byte> cell_content(std::size_t bytes, const CellHead& head, std::span<const Record> records,
                                    std::span<const CheckValue> own, Version version,
                                    std::span<const std::byte> manifest) {
    ByteWriter writer;
    writer.raw(head_bytes(head));
    const Erasure code(manifest.size(), head.piece_bytes);
    for (const auto& record : records) {
        writer.number(static_cast<std::uint8_t>(record.kind)).number(record.first).number(record.count);
        for (std::uint32_t i = 0; i < record.count; ++i) {
            if (record.kind == Record::Kind::own_checks) {
                write_check(writer, own[record.first + i], version);
            } else {
                writer.raw(code.piece(manifest, record.first + i));
            }
        }
    }
    auto content = writer.take();
    content.resize(bytes);
    return content;
}

}  // namespace

std::optional<CellLayout> CellLayout::draw(const BlockMap& block_map, const CellMap& cells,
                                           std::span<const std::uint32_t> capacities,
                                           const std::vector<bool>& in_common_table, std::size_t manifest_bytes,
                                           Spread spread) {
    if (manifest_bytes == 0 || manifest_bytes > kMaxManifestBytes) return std::nullopt;
    CellLayout layout;
    layout.slots_.reserve(capacities.size() -
                          static_cast<std::size_t>(std::ranges::count(capacities, std::uint32_t{0})));
    for (std::size_t i = 0; i < capacities.size(); ++i) {
        const auto& position = cells.positions()[i];
        if (capacities[i] != 0) layout.slots_.push_back({position.tensor, position.block, capacities[i], i});
    }
    std::vector<std::uint64_t> own_blocks;
    for (std::size_t tensor = 0; tensor < in_common_table.size(); ++tensor) {
        own_blocks.push_back(in_common_table[tensor] ? 0 : block_map.blocks(tensor));
    }
    layout.records_.resize(layout.slots_.size());
    const auto rooms = lay_own_tables(layout.slots_, own_blocks, cells.version(), layout.records_);
    if (!rooms) return std::nullopt;
    layout.piece_bytes_ = choose_piece(*rooms, manifest_bytes);
    const auto needed = Erasure(manifest_bytes, layout.piece_bytes_).data_pieces();
    std::uint32_t next = 0;
    std::size_t holders = 0;
    std::vector<std::uint64_t> in_tensor(own_blocks.size());
    for (std::size_t i = 0; i < layout.slots_.size(); ++i) {
        // A cell is lost as a whole, so it holds no more than what restores the manifest by itself.
        const auto count = std::min(pieces_in((*rooms)[i], layout.piece_bytes_), needed);
        if (count == 0) continue;
        layout.records_[i].add({next, static_cast<std::uint16_t>(count), Record::Kind::manifest});
        next += static_cast<std::uint32_t>(count);
        in_tensor[layout.slots_[i].tensor] += count;
        ++holders;
    }
    const auto largest = in_tensor.empty() ? 0 : *std::ranges::max_element(in_tensor);
    if (holders < 2 || next < 2 * needed) return std::nullopt;
    // The eighth is slack: every stripe is restored by itself, and the pieces that are left when a tensor is
    // lost are not spread evenly over the stripes.
    if (spread == Spread::beyond_any_tensor && next - largest < needed + needed / 8) return std::nullopt;
    return layout;
}

CellHead head_of(const CellLayout& layout, const SignedPart& part, std::size_t manifest_bytes) {
    return {part.density, static_cast<std::uint32_t>(manifest_bytes),
            static_cast<unsigned>(layout.piece_bytes())};
}

std::vector<std::byte> head_bytes(const CellHead& head) {
    return ByteWriter()
        .number(static_cast<std::uint8_t>(head.density.rate_step))
        .number(static_cast<std::uint8_t>(head.density.carrier_class))
        .number(static_cast<std::uint16_t>(head.manifest_bytes))
        .number(static_cast<std::uint8_t>(head.manifest_bytes >> 16))
        .number(static_cast<std::uint8_t>(head.piece_bytes))
        .take();
}

std::optional<CellHead> parse_head(std::span<const std::byte, kHeadBytes> bytes) {
    ByteReader reader(bytes);
    CellHead head;
    head.density.rate_step = reader.number<std::uint8_t>();
    head.density.carrier_class = reader.number<std::uint8_t>();
    head.manifest_bytes = reader.number<std::uint16_t>();
    head.manifest_bytes |= std::uint32_t{reader.number<std::uint8_t>()} << 16;
    head.piece_bytes = reader.number<std::uint8_t>();
    if (head.density.rate_step > kRateSteps || head.density.carrier_class >= kClasses ||
        head.manifest_bytes == 0 || head.piece_bytes < kLeastPiece || head.piece_bytes > kMostPiece ||
        head.piece_bytes % kPieceStep != 0) {
        return std::nullopt;
    }
    return head;
}

std::vector<std::byte> content_of(std::size_t slot, const BlockMap& block_map, const CellLayout& layout,
                                  const SignedPart& part, std::span<const CheckValue> checks,
                                  std::span<const std::byte> manifest) {
    const auto& [tensor, block, capacity, cell] = layout.slots()[slot];
    const auto own = checks.subspan(block_map.first_block(tensor), block_map.blocks(tensor));
    return cell_content(capacity - kTagBytes, head_of(layout, part, manifest.size()), layout.records(slot), own,
                        part.version, manifest);
}

std::vector<CheckValue> common_table(const SignedPart& part, const BlockMap& block_map,
                                     std::span<const CheckValue> checks) {
    std::vector<CheckValue> table;
    for (std::size_t tensor = 0; tensor < part.in_common_table.size(); ++tensor) {
        if (!part.in_common_table[tensor]) continue;
        const auto own = checks.subspan(block_map.first_block(tensor), block_map.blocks(tensor));
        table.insert(table.end(), own.begin(), own.end());
    }
    return table;
}

std::optional<CellContent> parse_content(std::span<const std::byte> bytes, Version version) {
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
            content.own.push_back({first, reader.raw(count * check_bytes(version))});
        } else if (kind == static_cast<std::uint8_t>(Record::Kind::manifest)) {
            content.pieces.reserve(std::min<std::size_t>(count, reader.left() / head->piece_bytes));
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
