"""Writes JPEGs that no common encoder writes: any sampling, scan script, restart interval, table and marker order."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

# T.81 figure 5, as row * 8 + column.
ZIGZAG = sorted(
    range(64),
    key=lambda n: (n // 8 + n % 8, n // 8 if (n // 8 + n % 8) % 2 else n % 8),
)
DCT = np.array(
    [[(0.5 if u else 0.5**1.5) * np.cos((2 * x + 1) * u * np.pi / 16) for x in range(8)] for u in range(8)]
)

# Number of codes by length, for tables of any symbols.
FLAT_DC = [0, 0, 0, 0, 16] + [0] * 11
FLAT_AC = [0] * 8 + [255, 1] + [0] * 6
# One code each of 2 to 11 bits, all others of 16 bits.
STEEP_DC = [0] + [1] * 10 + [0] * 4 + [6]
STEEP_AC = [0] + [1] * 10 + [0] * 4 + [246]


@dataclass
class Scan:
    """Components by number, Ss, Se, Ah, Al."""

    components: list[int]
    band: tuple[int, int, int, int] = (0, 63, 0, 0)


@dataclass
class Jpeg:
    """What to write. `factors`: H and V of each component."""

    width: int
    height: int
    factors: list[tuple[int, int]]
    scans: list[Scan] = field(default_factory=list)
    frame: int = 0xC0
    restart: int = 0
    quant: int = 8
    wide_quant: bool = False
    steep: bool = False
    ids: tuple[int, ...] = (1, 2, 3)
    noise: float = 20
    seed: int = 1
    before_frame: bytes = b""
    before_scans: bytes = b""


class Bits:
    def __init__(self) -> None:
        self.out = bytearray()
        self.value = 0
        self.count = 0

    def put(self, value: int, count: int) -> None:
        self.value = (self.value << count) | (value & ((1 << count) - 1))
        self.count += count
        while self.count >= 8:
            self.count -= 8
            byte = (self.value >> self.count) & 255
            self.out.append(byte)
            if byte == 255:
                self.out.append(0)
        self.value &= (1 << self.count) - 1

    def align(self) -> None:
        if self.count:
            self.put((1 << (8 - self.count)) - 1, 8 - self.count)


class Table:
    """A Huffman table of all symbols; the codes of steep ones are short for common symbols."""

    def __init__(self, is_ac: bool, steep: bool) -> None:
        symbols = list(range(256 if is_ac else 16))
        if is_ac:
            common = [1, 0, 2, 0x11, 3, 4, 0x21, 0x12, 5, 0x31]
            symbols = common + [s for s in symbols if s not in common]
        self.counts = (STEEP_AC if is_ac else STEEP_DC) if steep else (FLAT_AC if is_ac else FLAT_DC)
        self.symbols = symbols
        self.codes: dict[int, tuple[int, int]] = {}
        code, left = 0, iter(symbols)
        for length, count in enumerate(self.counts, 1):
            for _ in range(count):
                self.codes[next(left)] = (code, length)
                code += 1
            code <<= 1

    def spec(self) -> bytes:
        return bytes(self.counts) + bytes(self.symbols)


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def size_of(value: int) -> int:
    return abs(value).bit_length()


def magnitude(bits: Bits, value: int, size: int) -> None:
    bits.put(value if value >= 0 else value + (1 << size) - 1, size)


class Writer:
    def __init__(self, jpeg: Jpeg) -> None:
        self.jpeg = jpeg
        self.h_max = max(h for h, _ in jpeg.factors)
        self.v_max = max(v for _, v in jpeg.factors)
        self.across = -(-jpeg.width // (8 * self.h_max))
        self.down = -(-jpeg.height // (8 * self.v_max))
        self.tables = [Table(False, jpeg.steep), Table(True, jpeg.steep)]
        rng = np.random.default_rng(jpeg.seed)
        self.quant = np.maximum(1, np.arange(1, 65) * jpeg.quant // 8)
        self.blocks = [self.transform(rng, h, v) for h, v in jpeg.factors]

    def transform(self, rng: np.random.Generator, h: int, v: int) -> np.ndarray:
        """Quantized coefficients of a smooth plane with noise: rows, columns, 64 in zigzag order."""
        rows, columns = self.down * v, self.across * h
        y, x = np.mgrid[0 : rows * 8, 0 : columns * 8]
        wave = 90 * np.sin(x / rng.uniform(2, 30)) * np.cos(y / rng.uniform(2, 30))
        plane = np.clip(wave + rng.normal(0, self.jpeg.noise, x.shape), -128, 127)
        tiles = plane.reshape(rows, 8, columns, 8).transpose(0, 2, 1, 3)
        spectrum = (DCT @ tiles @ DCT.T).reshape(rows, columns, 64)[:, :, ZIGZAG]
        return np.rint(spectrum / self.quant).astype(int)

    def write(self) -> bytes:
        jpeg = self.jpeg
        scans = jpeg.scans or [Scan(list(range(len(jpeg.factors))))]
        out = b"\xff\xd8" + self.quant_tables() + jpeg.before_frame
        spec = struct.pack(">BHHB", 8, jpeg.height, jpeg.width, len(jpeg.factors))
        for i, (h, v) in enumerate(jpeg.factors):
            spec += bytes([jpeg.ids[i], (h << 4) | v, 0])
        out += segment(jpeg.frame, spec)
        for is_ac, table in enumerate(self.tables):
            out += segment(0xC4, bytes([is_ac << 4]) + table.spec())
        if jpeg.restart:
            out += segment(0xDD, struct.pack(">H", jpeg.restart))
        out += jpeg.before_scans
        for scan in scans:
            head = bytes([len(scan.components)])
            for i in scan.components:
                head += bytes([jpeg.ids[i], 0])
            ss, se, ah, al = scan.band
            out += segment(0xDA, head + bytes([ss, se, (ah << 4) | al])) + self.data(scan)
        return out + b"\xff\xd9"

    def quant_tables(self) -> bytes:
        if self.jpeg.wide_quant:
            return segment(0xDB, b"\x10" + struct.pack(">64H", *self.quant))
        return segment(0xDB, b"\x00" + bytes(min(255, int(q)) for q in self.quant))

    def mcus(self, scan: Scan) -> Iterator[list[tuple[int, np.ndarray]]]:
        """The blocks of each MCU with their component."""
        if len(scan.components) == 1:
            [i] = scan.components
            h, v = self.jpeg.factors[i]
            across = -(-(-(-self.jpeg.width * h // self.h_max)) // 8)
            down = -(-(-(-self.jpeg.height * v // self.v_max)) // 8)
            for row in range(down):
                for column in range(across):
                    yield [(i, self.blocks[i][row, column])]
            return
        for row in range(self.down):
            for column in range(self.across):
                yield [
                    (i, self.blocks[i][row * v + y, column * h + x])
                    for i in scan.components
                    for h, v in [self.jpeg.factors[i]]
                    for y in range(v)
                    for x in range(h)
                ]

    def data(self, scan: Scan) -> bytes:
        bits = Bits()
        coder = Coder(bits, self.tables, scan.band, self.jpeg.frame == 0xC2)
        for number, mcu in enumerate(self.mcus(scan)):
            if self.jpeg.restart and number and number % self.jpeg.restart == 0:
                coder.flush()
                bits.align()
                bits.out += bytes([0xFF, 0xD0 + (number // self.jpeg.restart - 1) % 8])
                coder.predictors.clear()
            for component, block in mcu:
                coder.block(component, block)
        coder.flush()
        bits.align()
        return bytes(bits.out)


class Coder:
    """Entropy coding of one scan (T.81 F.1.2, G.1.2)."""

    def __init__(self, bits: Bits, tables: list[Table], band: tuple[int, int, int, int], progressive: bool) -> None:
        self.bits, self.tables, self.progressive = bits, tables, progressive
        self.ss, self.se, self.ah, self.al = band
        self.predictors: dict[int, int] = {}
        self.run = 0
        self.corrections: list[int] = []

    def symbol(self, is_ac: int, symbol: int) -> None:
        self.bits.put(*self.tables[is_ac].codes[symbol])

    def block(self, component: int, block: np.ndarray) -> None:
        if self.ss == 0:
            if self.ah:
                self.bits.put(int(block[0]) >> self.al & 1, 1)
                return
            dc = int(block[0]) >> self.al
            difference = dc - self.predictors.get(component, 0)
            self.predictors[component] = dc
            self.symbol(0, size_of(difference))
            magnitude(self.bits, difference, size_of(difference))
        if not self.progressive:
            self.ac(block, 1, 63)
        elif self.ss > 0 and self.ah == 0:
            self.ac(block, self.ss, self.se)
        elif self.ss > 0:
            self.refine(block)

    def ac(self, block: np.ndarray, first: int, last: int) -> None:
        zeros = 0
        for k in range(first, last + 1):
            value = int(block[k])
            value = (abs(value) >> self.al) * (1 if value >= 0 else -1)
            if value == 0:
                zeros += 1
                continue
            self.flush()
            while zeros > 15:
                self.symbol(1, 0xF0)
                zeros -= 16
            self.symbol(1, (zeros << 4) | size_of(value))
            magnitude(self.bits, value, size_of(value))
            zeros = 0
        if zeros == 0:
            return
        if not self.progressive:
            self.symbol(1, 0)
            return
        self.run += 1
        if self.run == 0x7FFF:
            self.flush()

    def refine(self, block: np.ndarray) -> None:
        values = [abs(int(block[k])) >> self.al for k in range(64)]
        last_new = max((k for k in range(self.ss, self.se + 1) if values[k] == 1), default=-1)
        zeros, pending = 0, []
        for k in range(self.ss, self.se + 1):
            if values[k] == 0:
                zeros += 1
                continue
            while zeros > 15 and k <= last_new:
                self.flush()
                self.symbol(1, 0xF0)
                self.put_all(pending)
                zeros, pending = zeros - 16, []
            if values[k] > 1:
                pending.append(values[k] & 1)
                continue
            self.flush()
            self.symbol(1, (zeros << 4) | 1)
            self.bits.put(int(block[k] > 0), 1)
            self.put_all(pending)
            zeros, pending = 0, []
        if zeros or pending:
            self.run += 1
            self.corrections += pending
            if self.run == 0x7FFF or len(self.corrections) > 900:
                self.flush()

    def put_all(self, bits: list[int]) -> None:
        for bit in bits:
            self.bits.put(bit, 1)

    def flush(self) -> None:
        """Ends a run of blocks without new coefficients (EOBRUN)."""
        if self.run:
            size = self.run.bit_length() - 1
            self.symbol(1, size << 4)
            self.bits.put(self.run, size)
        self.put_all(self.corrections)
        self.run, self.corrections = 0, []


def write(jpeg: Jpeg) -> bytes:
    return Writer(jpeg).write()
