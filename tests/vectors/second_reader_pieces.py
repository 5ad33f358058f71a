"""The erasure code of second_reader.py. ["PIECES OF THE MANIFEST" of modelseal-seal(5)]"""
import functools


def times(a, b):
    product = 0
    for bit in range(8):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(14, 7, -1):
        if product >> bit & 1:
            product ^= 0x11D << (bit - 8)
    return product


INVERSE = [next((b for b in range(256) if times(a, b) == 1), 0) for a in range(256)]


@functools.cache
def products(factor):
    return bytes(times(byte, factor) for byte in range(256))


def scaled(data, factor):
    return data.translate(products(factor))


def add(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


class Pieces:
    def __init__(self, length, piece):
        self.M, self.L = length, piece
        self.k = (length + piece - 1) // piece
        self.s = (self.k + 63) // 64

    def place(self, i):
        return i % self.s, i // self.s % 255

    def data_rows(self, stripe):
        return self.k // self.s + (stripe < self.k % self.s)

    def factors(self, stripe, row):
        d = self.data_rows(stripe)
        return [int(j == row) if row < d else INVERSE[row ^ j] for j in range(d)]

    def piece(self, manifest, i):
        stripe, row = self.place(i)
        made = bytes(self.L)
        for j, factor in enumerate(self.factors(stripe, row)):
            at = (j * self.s + stripe) * self.L
            made = add(made, scaled(manifest[at:at + self.L].ljust(self.L, b"\0"), factor))
        return made

    def restore(self, pieces):
        data = [None] * self.k
        for stripe in range(self.s):
            d, rows = self.data_rows(stripe), {}
            for i, piece in pieces:
                if self.place(i)[0] == stripe:
                    rows.setdefault(self.place(i)[1], piece)
            if len(rows) < d:
                return None
            chosen = sorted(rows)[:d]
            for j, piece in enumerate(solve([self.factors(stripe, row) for row in chosen], [rows[r] for r in chosen])):
                data[j * self.s + stripe] = piece
        return b"".join(data)[:self.M]


def solve(matrix, values):
    """Gauss and Jordan, on whole pieces."""
    for pivot in range(len(matrix)):
        found = next(i for i in range(pivot, len(matrix)) if matrix[i][pivot])
        for rows in (matrix, values):
            rows[pivot], rows[found] = rows[found], rows[pivot]
        scale = INVERSE[matrix[pivot][pivot]]
        matrix[pivot] = [times(item, scale) for item in matrix[pivot]]
        values[pivot] = scaled(values[pivot], scale)
        for i, row in enumerate(matrix):
            factor = row[pivot]
            if i != pivot and factor:
                matrix[i] = [a ^ times(b, factor) for a, b in zip(row, matrix[pivot])]
                values[i] = add(values[i], scaled(values[pivot], factor))
    return values
