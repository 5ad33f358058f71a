#!/usr/bin/env python3
"""A second reader of seals, written from the page modelseal-seal(5) alone, to prove that the page is enough.

    second_reader.py SEALED.safetensors NAME.pub|NAME.check

Python's standard library is all it takes. Exit status: 0 intact, 1 not, 3 not readable, 4 no seal. It reads
safetensors only, holds everything in memory and is slow; section titles of the page are given in brackets.
"""
import base64
import hmac
import json
import struct
import sys
import zlib
from fractions import Fraction

from second_reader_cells import Cell, H, N, T, grids_of
from second_reader_crypto import Stream, verify
from second_reader_pieces import Pieces


def hkdf(secret, salt, info):
    key = hmac.digest(salt or bytes(32), secret, "sha256")
    return hmac.digest(key, info.encode() + b"\x01", "sha256")


# [VERSIONS]: the number in the texts, and the bytes of a block's check value
def text(version, rest):
    return "modelseal/%d %s" % (version, rest)


CHECK_VALUE = {1: 4, 2: 3}


# [KEYS] -> vendor's public key, check secret
def read_key(path):
    lines = open(path).read().split("\n")
    body = base64.b64decode("".join(lines[1:-2]))
    if lines[0] == "-----BEGIN PUBLIC KEY-----":
        if b"\x2a\x86\x48\xce\x3d\x03\x01\x07" in body:  # P-256; the point ends the body, uncompressed
            vendor = bytes([2 + body[-1] % 2]) + body[-64:-32]
        else:
            vendor = body[-32:]
        return vendor, hkdf(vendor, b"", "modelseal/1 public check key")
    if lines[0] != "-----BEGIN MODELSEAL CHECK KEY-----" or body[0] not in (1, 2):
        raise ValueError("not a key")
    vendor = body[1:32 + body[0]]
    if not verify(vendor, b"modelseal/1 check key" + body[:-64], body[-64:]):
        raise ValueError("a check key that its vendor did not sign")
    return vendor, body[-96:-64]


# [safetensors], [Tensors]: name -> type number, elements and bytes that lie together, carrier class
TYPES = {"BOOL": (0, 1, 1), "U8": (1, 1, 1, 2), "I8": (2, 1, 1, 2), "U16": (3, 1, 2), "I16": (4, 1, 2),
         "U32": (5, 1, 4), "I32": (6, 1, 4), "U64": (7, 1, 8), "I64": (8, 1, 8), "F16": (9, 1, 2, 1),
         "BF16": (10, 1, 2, 1), "F32": (11, 1, 4, 0), "F64": (12, 1, 8, 0), "F8_E4M3": (13, 1, 1, 2),
         "F8_E4M3FNUZ": (14, 1, 1, 2), "F8_E5M2": (15, 1, 1, 2), "F8_E5M2FNUZ": (16, 1, 1, 2),
         "F8_E8M0": (17, 1, 1), "F6_E2M3": (18, 4, 3), "F6_E3M2": (19, 4, 3), "F4": (20, 2, 1), "C64": (27, 1, 8)}


class Tensor:
    def __init__(self, name, entry, data):
        begin, end = entry["data_offsets"]
        kind = TYPES[entry["dtype"]]
        self.name, self.dtype, self.shape = name.encode(), entry["dtype"], entry["shape"]
        self.type, self.group, self.group_bytes = kind[:3]
        self.carrier_class = kind[3] if len(kind) > 3 else None
        self.values = data[begin:end]
        self.elements = (end - begin) // self.group_bytes * self.group
        self.kind = N(self.type) + N(len(self.shape)) + b"".join(map(N, self.shape))

    def take(self, version, ordinal):
        """[Tensors], [Version 1]"""
        self.version = version
        if version == 1:
            self.place = T("modelseal/1 tensor identity") + T(self.name) + self.kind
        else:
            self.place = T("modelseal/2 tensor place") + self.kind + N(ordinal)

    def cut(self, length, secret):
        """[Blocks], [Keys of a tensor]"""
        step = length // self.group * self.group_bytes
        self.blocks = [self.values[at:at + step] for at in range(0, len(self.values), step)]
        keys = ("blocks", "order", "whiten", "tag")
        self.orders = None
        place = H(self.place if self.version == 1 else self.place + N(length))
        self.keys = {key: hkdf(secret, place, text(self.version, key)) for key in keys}

    def order(self):
        """[Density]"""
        if self.orders is None:
            self.orders = shuffled(Stream(self.keys["blocks"], 0), len(self.blocks))
        return self.orders

    def is_host(self, carrier_class):
        return self.elements >= 384 and self.carrier_class is not None and self.carrier_class <= carrier_class


def read_model(path):
    file = open(path, "rb").read()
    front = 8 + struct.unpack("<Q", file[:8])[0]
    header = json.loads(file[8:front])
    header.pop("__metadata__", None)
    tensors = [Tensor(name, entry, file[front:]) for name, entry in header.items()]
    return file, front, sorted(tensors, key=lambda tensor: tensor.name)


# [Density]
RATES = (65536, 60097, 55109, 50535, 46341, 42495, 38968, 35734)


def cells_at_rate(blocks, step):
    d = 40 - step
    return max(1, min(blocks, (blocks * RATES[d % 8] // 2**(d // 8) + 65535) // 65536))


def shuffled(stream, n):
    order = list(range(n))
    for i in range(n):
        r = stream.below(n - i)
        order[i], order[i + r] = order[i + r], order[i]
    return order


def sites(tensors, carrier_class, step):
    """Tensor and block of each cell."""
    places = [[(tensor, block) for block in tensor.order()[:cells_at_rate(len(tensor.blocks), step)]]
              for tensor in tensors if tensor.is_host(carrier_class)]
    deepest = max(map(len, places), default=0)
    return [of_host[depth] for depth in range(deepest) for of_host in places if depth < len(of_host)]


# [LAYOUT OF CELLS]
PIECE_LENGTHS = range(8, 113, 8)


def head_of(step, carrier_class, length, piece):
    return struct.pack("<BBHBB", step, carrier_class, length & 0xFFFF, length >> 16, piece)


def records_of(content, version):
    """-> (rate step, carrier class, M, L), numbered pieces of the manifest; None if malformed."""
    step, carrier_class, low, high, piece = struct.unpack("<BBHBB", content[:6])
    length, at, pieces = low | high << 16, 6, []
    if step > 40 or carrier_class > 2 or not length or piece not in PIECE_LENGTHS:
        return None
    while len(content) - at >= 7 and content[at] != 0:
        kind, first, count = struct.unpack("<BIH", content[at:at + 7])
        size = CHECK_VALUE[version] if kind == 1 else piece
        at += 7
        if kind > 2 or at + size * count > len(content):
            return None
        if kind == 2:
            pieces += [(first + i, content[at + i * size:at + (i + 1) * size]) for i in range(count)]
        at += size * count
    return (step, carrier_class, length, piece), pieces


def layout(cells, own, manifest):
    """Content of each cell that carries; `own`: tensor -> its check values."""
    count = {tensor: sum(cell.tensor is tensor for cell in cells) for tensor in own}
    if any(c < 2 for c in count.values()):
        return None
    seen = dict.fromkeys(own, 0)
    M, tables, rooms = len(manifest), [], []
    for cell in cells:
        table = b""
        if cell.tensor in own:
            checks, c = own[cell.tensor], count[cell.tensor]
            length, o = (len(checks) + c - 1) // c, seen[cell.tensor]
            seen[cell.tensor] += 1
            for x in (o, (o + c // 2) % c):
                part = checks[x * length:(x + 1) * length]
                if part:
                    table += struct.pack("<BIH", 1, x * length, len(part)) + b"".join(part)
            if length > 65535:
                return None
        tables.append(table)
        rooms.append(cell.capacity - 14 - len(table))
    if not cells or min(rooms) < 0 or M >= 1 << 24:
        return None
    fit = lambda room, L: max(0, room - 7) // L
    L = max(PIECE_LENGTHS, key=lambda L: (Fraction(sum(fit(room, L) for room in rooms), (M + L - 1) // L), L))
    pieces, k = Pieces(M, L), (M + L - 1) // L
    number, holders, contents = 0, 0, []
    for cell, table, room in zip(cells, tables, rooms):
        content, here = head_of(*manifest[6:8], M, L) + table, min(fit(room, L), k)
        if here:
            content += struct.pack("<BIH", 2, number, here)
            content += b"".join(pieces.piece(manifest, number + i) for i in range(here))
            number, holders = number + here, holders + 1
        contents.append(content.ljust(cell.capacity - 8, b"\0"))
    return contents if number >= 2 * k and holders >= 2 else None


# [MANIFEST]
class Manifest:
    def __init__(self, data, version):
        self.data = data
        (length, number, flags, self.step, self.carrier_class, self.tensors, self.files,
         stamp) = struct.unpack("<IBBBBIIH", data[:18])
        # 4 and 8 are flags of models of several files, which are not read here.
        if number != version or flags & ~(1 | 2 if version == 1 else 1 | 2 | 16 | 32) or length != len(data):
            raise ValueError("not a manifest")
        self.at = 18
        self.stamp = read_stamp(self.next(stamp))
        self.frame, self.weights, self.vendor = self.next(32), self.next(32), self.next(8)
        self.next(32 if flags & 1 else 0)
        self.common = self.numbers(self.tensors, 1)
        self.grids = self.numbers(self.tensors, 2) if flags & 16 else [0] * self.tensors
        self.carry = self.numbers(self.number(), 1) if flags & 32 else None
        self.directory = self.next(self.number()) if flags & 2 else None
        self.file_checks = self.next(4 * self.files)
        self.signed, self.signature = text(version, "seal\0").encode() + data[:self.at], self.next(64)
        self.common_checks = data[self.at:]

    def next(self, size):
        self.at += size
        if self.at > len(self.data):
            raise ValueError("not a manifest")
        return self.data[self.at - size:self.at]

    def number(self):
        return struct.unpack("<I", self.next(4))[0]

    def numbers(self, count, bits):
        """Numbers of 1 or 2 bits, the lowest first."""
        packed = int.from_bytes(self.next((count * bits + 7) // 8), "little")
        if packed >> count * bits:
            raise ValueError("not a manifest")
        return [packed >> i * bits & (1 << bits) - 1 for i in range(count)]


def read_stamp(data):
    stamp, at = {}, 0
    while at < len(data):
        name, at = ("", "name", "version", "customer", "time")[data[at]], at + 1
        if not name:
            name, at = data[at + 1:at + 1 + data[at]].decode(), at + 1 + data[at]
        size = struct.unpack("<H", data[at:at + 2])[0]
        stamp[name], at = data[at + 2:at + 2 + size].decode(), at + 2 + size
    return stamp


# [FINDING A SEAL]
def find(tensors):
    hosts = [tensor for tensor in tensors if tensor.is_host(2)]
    for front in range(max((len(tensor.blocks) for tensor in hosts), default=0)):
        for tensor in hosts:
            for grid in grids_of(tensor) if front < len(tensor.blocks) else ():
                content = Cell(tensor, tensor.order()[front], grid).content
                if content and records_of(content, tensor.version):
                    return records_of(content, tensor.version)[0][:2]
    return None


def find_in_all_ways(tensors, secret):
    """-> version, block length, what was found; the tensors are left cut like that."""
    natural = sum(tensor.elements for tensor in tensors) // 32
    natural = min(8192, max(1024, 1 << natural.bit_length() >> 1))
    for version in (2, 1):
        seen = {}
        for tensor in tensors:
            tensor.take(version, seen.setdefault(tensor.kind, 0))
            seen[tensor.kind] += 1
        for length in dict.fromkeys((natural, 8192, 4096, 2048, 1024)):
            for tensor in tensors:
                tensor.cut(length, secret)
            found = find(tensors)
            if found:
                return version, length, found
    return None


def put_together(cells, version):
    by_head = {}
    for cell in cells:
        records = records_of(cell.content, version) if cell.content else None
        if records:
            by_head.setdefault(records[0], []).extend(records[1])
    if not by_head:
        return None
    (_, _, length, piece), pieces = max(by_head.items(), key=lambda item: len(item[1]))
    data = Pieces(length, piece).restore(pieces)
    return Manifest(data, version) if data else None


# [DIGESTS]
def weights_root(tensors, length, carriers, version):
    """`carriers`: number of the cell -> cell. -> root, tensor -> check values of its blocks"""
    by_block = {(cell.tensor, cell.index): cell for cell in carriers.values()}
    total = T(text(version, "weights")) + N(len(tensors))
    checks = {}
    for tensor in tensors:
        digests = [by_block[tensor, i].digest() if (tensor, i) in by_block else H(b"\x01" + block)
                   for i, block in enumerate(tensor.blocks)]
        nodes = [H(b"\x10" + b"".join(digests[at:at + 16])) for at in range(0, len(digests), 16)]
        total += H(T(text(version, "tensor")) + (H(tensor.place) if version == 1 else tensor.kind) +
                   N(tensor.elements) + N(length) + N(len(digests)) + b"".join(nodes))
        checks[tensor] = [digest[:CHECK_VALUE[version]] for digest in digests]
    for number, cell in carriers.items():
        if cell.attempt:
            total += N(number) + N(cell.attempt)
    return H(total), checks


def frame_of(file, front):
    x = H(T("modelseal/1 frame of a file") + T("") + N(len(file)) + N(0) + N(front) + file[:front])
    y = H(T("modelseal/1 checksums of a file") + x)
    return H(T("modelseal/1 frame") + N(1) + y), y


def directory_of(data):
    """[Directory] -> type, shape and name of each tensor"""
    size, data = struct.unpack("<I", data[:4])[0], zlib.decompress(data[4:])
    if size != len(data):
        raise ValueError("not a directory")
    entries, at = [], 0
    while at < len(data):
        end = at + 2 + 8 * data[at + 1]
        kind = N(data[at]) + N(data[at + 1]) + data[at + 2:end]
        at = end + 4 + struct.unpack("<I", data[end:end + 4])[0]
        entries.append((kind, data[end + 4:at]))
    return entries


def agrees(directory, tensors, version):
    if version == 1:
        return directory == [(tensor.kind, tensor.name) for tensor in tensors]
    return [kind for kind, _ in directory] == [tensor.kind for tensor in tensors]


# [Which cells carry], [Grids], [Version 1]: number of the cell -> cell; None if it cannot be
def carriers_of(manifest, on_grids, tensors, version):
    grids = dict(zip(tensors, manifest.grids))
    cells = [on_grid.get(grids[tensor]) for tensor, on_grid in on_grids]
    if version == 1:
        return {number: cell for number, cell in enumerate(cells) if cell.capacity}
    carry = manifest.carry if manifest.carry is not None else [1] * len(cells)
    carriers = {number: cell for number, cell in enumerate(cells) if carry[number]} if len(carry) == len(cells) else {}
    return carriers if all(cell and cell.capacity for cell in carriers.values()) else None


def check(path, key_path):
    """-> exit status and what to say. [What intact means]"""
    vendor, secret = read_key(key_path)
    file, front, tensors = read_model(path)
    version, length, found = find_in_all_ways(tensors, secret) or (0, 0, None)
    if not found:
        return 4, "no seal under this key"
    on_grids = [(tensor, {grid: Cell(tensor, index, grid) for grid in grids_of(tensor)})
                for tensor, index in sites(tensors, found[1], found[0])]
    manifest = put_together([cell for _, on_grid in on_grids for cell in on_grid.values()], version)
    if not manifest:
        return 1, "the manifest did not survive"
    if manifest.vendor != H(vendor)[:8] or not verify(vendor, manifest.signed, manifest.signature):
        return 1, "the signature is not the vendor's"
    if (manifest.step, manifest.carrier_class) != found:
        return 1, "the cells are not those of the manifest"
    directory = manifest.directory and directory_of(manifest.directory)
    if manifest.tensors != len(tensors) or directory is not None and not agrees(directory, tensors, version):
        return 1, "the list of tensors is another"
    carriers = carriers_of(manifest, on_grids, tensors, version)
    if not carriers:
        return 1, "the cells are not those that carry"
    root, checks = weights_root(tensors, length, carriers, version)
    frame, of_file = frame_of(file, front)
    if root != manifest.weights:
        return 1, "the weights changed"
    noted = [value for tensor, common in zip(tensors, manifest.common) if common for value in checks[tensor]]
    if manifest.common_checks != b"".join(noted):
        return 1, "the check values changed"
    own = {tensor: checks[tensor] for tensor, common in zip(tensors, manifest.common) if not common}
    if layout(carriers.values(), own, manifest.data) != [cell.content for cell in carriers.values()]:
        return 1, "a cell changed"
    if manifest.file_checks != of_file[:4] or frame != manifest.frame:
        return 1, "the frame changed"
    return 0, "intact, version %d, %d tensors, %d cells, root %s, %s" % (version, len(tensors), len(carriers),
                                                                         H(manifest.signed).hex(), manifest.stamp)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        status, text = check(sys.argv[1], sys.argv[2])
    except (OSError, ValueError, KeyError, IndexError, TypeError, struct.error, zlib.error) as problem:
        status, text = 3, "%s: %s" % (type(problem).__name__, problem)
    print("%s: %s" % (sys.argv[1], text))
    sys.exit(status)
