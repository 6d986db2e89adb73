"""Writes JPEGs of every kind that T.81 has and libjpeg reads, and records Pillow's pixels.

python make_jpegs.py writes jpegs.json: each file in base64 with what the gateway's own decoder must answer. For `ok` it
has the SHA-256 of Pillow's RGB bytes. Made with Pillow 13.0.0 and libjpeg-turbo 3.2.0. The tests need only jpegs.json, not
this program.
"""

import base64
import hashlib
import io
import json
import random
from pathlib import Path

import PIL
from PIL import Image

from jpeg_writer import Jpeg, Scan, segment, write

TARGET = Path(__file__).with_name("jpegs.json")
FILES: dict[str, tuple[str, bytes]] = {}

# By name: H and V of Y, Cb, Cr.
SAMPLINGS = {
    "gray": [(1, 1)],
    "gray-22": [(2, 2)],
    "444": [(1, 1)] * 3,
    "444-21": [(2, 1)] * 3,
    "422": [(2, 1), (1, 1), (1, 1)],
    "420": [(2, 2), (1, 1), (1, 1)],
    "440": [(1, 2), (1, 1), (1, 1)],
    "411": [(4, 1), (1, 1), (1, 1)],
    "410": [(4, 2), (1, 1), (1, 1)],
    "441": [(1, 4), (1, 1), (1, 1)],
    "240": [(2, 4), (1, 1), (1, 1)],
    "311": [(3, 1), (1, 1), (1, 1)],
    "131": [(1, 3), (1, 1), (1, 1)],
    "440-22": [(2, 2), (2, 1), (2, 1)],
    "422-22": [(2, 2), (1, 2), (1, 2)],
    "422-41": [(4, 1), (2, 1), (2, 1)],
    "440-14": [(1, 4), (1, 2), (1, 2)],
    "mixed-blue": [(2, 2), (1, 1), (2, 1)],
    "mixed-red": [(2, 2), (2, 1), (1, 2)],
    "mixed-one": [(2, 1), (2, 1), (1, 1)],
    "luma-smaller": [(1, 1), (2, 2), (2, 2)],
}


def progressive(components: int) -> list[Scan]:
    """The scans that libjpeg writes by default: every kind of scan, with two bits to come later."""
    every = list(range(components))
    chroma = every[1:]
    return [
        Scan(every, (0, 0, 0, 1)),
        Scan([0], (1, 5, 0, 2)),
        *(Scan([i], (1, 63, 0, 1)) for i in chroma),
        Scan([0], (6, 63, 0, 2)),
        Scan([0], (1, 63, 2, 1)),
        Scan(every, (0, 0, 1, 0)),
        *(Scan([i], (1, 63, 1, 0)) for i in chroma),
        Scan([0], (1, 63, 1, 0)),
    ]


def fine(components: int) -> list[Scan]:
    """Each component alone, bands of odd lengths, bit by bit."""
    scans = [Scan([i], (0, 0, 0, 2)) for i in range(components)]
    scans += [Scan([i], (0, 0, a + 1, a)) for a in (1, 0) for i in range(components)]
    for i in range(components):
        for band in ((1, 1), (2, 9), (10, 40), (41, 63)):
            scans.append(Scan([i], (*band, 0, 3)))
            scans += [Scan([i], (*band, a + 1, a)) for a in (2, 1, 0)]
    return scans


def add(name: str, result: str, file: bytes) -> None:
    FILES[f"{name}.jpg"] = (result, file)


def samplings() -> None:
    sizes = random.Random(3)
    for number, (name, factors) in enumerate(SAMPLINGS.items()):
        count = len(factors)
        for kind, frame, scans in [
            ("baseline", 0xC0, []),
            ("apart", 0xC1, [Scan([i]) for i in range(count)]),
            ("progressive", 0xC2, progressive(count)),
        ]:
            jpeg = Jpeg(sizes.randrange(1, 50), sizes.randrange(1, 50), factors, scans, frame, seed=number)
            jpeg.steep = number % 2 == 1
            jpeg.restart = [0, 0, 1, 3][number % 4]
            add(f"{kind}-{name}", "ok", write(jpeg))


def sizes() -> None:
    for factors in ("420", "422", "440"):
        for side in (1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 18, 31, 32, 33):
            other = 34 - side
            add(f"size-{factors}-{side}x{other}", "ok", write(Jpeg(side, other, SAMPLINGS[factors], seed=side)))


def tables_and_markers() -> None:
    usual = SAMPLINGS["420"]
    add("quant-16-bits", "ok", write(Jpeg(40, 30, usual, quant=300, wide_quant=True)))
    add("quant-finest", "ok", write(Jpeg(40, 30, usual, quant=1, noise=60)))
    add("restart-each-mcu", "ok", write(Jpeg(150, 40, usual, restart=1)))
    add("restart-fine", "ok", write(Jpeg(50, 40, usual, fine(3), 0xC2, restart=2)))
    add("progressive-fine", "ok", write(Jpeg(41, 29, usual, fine(3), 0xC2, quant=1, noise=60)))
    add("progressive-long-runs", "ok", write(Jpeg(60, 700, usual, fine(3), 0xC2, quant=90, noise=0)))
    add("scans-of-one-and-two", "ok", write(Jpeg(40, 30, usual, [Scan([0]), Scan([1, 2])])))
    whole = write(Jpeg(40, 30, usual))
    table, frame, scan = (whole.index(bytes([0xFF, marker])) for marker in (0xDB, 0xC0, 0xDA))
    codes = whole.index(b"\xff\xc4")
    add("fill-bytes", "ok", whole[:table] + b"\xff\xff\xff" + whole[table:-2] + b"\xff\xff" + whole[-2:])
    add("tables-after-frame", "ok", whole[:2] + whole[frame:scan] + whole[table:frame] + whole[scan:])
    add("tables-first", "ok", whole[:2] + whole[codes:scan] + whole[2:codes] + whole[scan:])
    add("comment-before-end", "ok", whole[:-2] + segment(0xFE, b"late") + whole[-2:])
    add("bytes-after-end", "ok", whole + b"\xff\xd8 and so on")
    add("adobe-ycbcr", "ok", write(Jpeg(20, 20, usual, ids=(82, 71, 66), before_frame=adobe(1))))
    add("jfif-wins-over-adobe", "ok", write(Jpeg(20, 20, usual, before_frame=JFIF + adobe(0))))
    add("jfif-wins-over-ids", "ok", write(Jpeg(20, 20, usual, ids=(82, 71, 66), before_frame=JFIF)))
    add("ids-0-1-2", "ok", write(Jpeg(20, 20, usual, ids=(0, 1, 2))))


JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")


def adobe(transform: int) -> bytes:
    return segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform]))


def left_to_sharp() -> None:
    usual = SAMPLINGS["420"]
    whole = write(Jpeg(40, 30, usual))
    frame = whole.index(b"\xff\xc0")
    for name, marker in [("lossless", 0xC3), ("differential", 0xC5), ("arithmetic", 0xC9), ("arithmetic-progressive", 0xCA)]:
        add(name, "not ours", whole[: frame + 1] + bytes([marker]) + whole[frame + 2 :])
    add("12-bits", "not ours", whole[: frame + 4] + b"\x0c" + whole[frame + 5 :])
    add("height-later", "not ours", whole[: frame + 5] + b"\0\0" + whole[frame + 7 :])
    add("rgb-by-ids", "not ours", write(Jpeg(20, 20, SAMPLINGS["444"], ids=(82, 71, 66))))
    add("rgb-by-adobe", "not ours", write(Jpeg(20, 20, SAMPLINGS["444"], before_frame=adobe(0))))
    add("four-components", "not ours", write(Jpeg(20, 20, [(1, 1)] * 4, ids=(1, 2, 3, 4))))
    add("two-components", "not ours", write(Jpeg(20, 20, [(1, 1)] * 2)))
    add("fractions", "not ours", write(Jpeg(20, 20, [(3, 1), (2, 1), (1, 1)])))
    add("components-in-other-order", "not ours", write(Jpeg(20, 20, usual, [Scan([0, 2, 1])])))
    scans = progressive(3)
    add("last-scan-missing", "not ours", write(Jpeg(40, 30, usual, scans[:-1], 0xC2)))
    add("dc-only", "not ours", write(Jpeg(40, 30, usual, scans[:1], 0xC2)))
    add("scan-twice", "not ours", write(Jpeg(40, 30, usual, [*scans, scans[-1]], 0xC2)))
    add("luma-only", "not ours", write(Jpeg(40, 30, usual, [Scan([0])])))
    many = [Scan([0], (0, 0, 0, 0))] + [Scan([0], (k, k, a and a + 1, a)) for k in range(1, 64) for a in (0,)]
    add("scans-64", "ok", write(Jpeg(16, 16, [(1, 1)], many, 0xC2)))
    bits = [Scan([0], (k, k, 0 if a == 1 else 2, a)) for k in range(1, 64) for a in (1,)]
    bits += [Scan([0], (k, k, 1, 0)) for k in range(1, 64)]
    add("scans-127", "not ours", write(Jpeg(16, 16, [(1, 1)], [many[0], *bits], 0xC2)))
    add("scan-after-the-last", "not ours", whole[:-2] + whole[whole.index(b"\xff\xda") :])


def damaged() -> None:
    whole = write(Jpeg(40, 30, SAMPLINGS["420"], restart=2))
    data = whole.index(b"\xff\xda")
    add("end-missing", "damaged", whole[:-2])
    add("cut-in-data", "cut off", whole[: data + 200])
    add("cut-in-header", "cut off", whole[: data - 10])
    last = whole.rindex(b"\xff\xd0", data)
    add("cut-in-last-interval", "cut off", whole[: last + 3])
    add("cut-in-marker", "damaged", whole[:-1])
    scans = write(Jpeg(40, 30, SAMPLINGS["420"], progressive(3), 0xC2))
    add("cut-in-third-scan", "cut off", scans[: scans.rindex(b"\xff\xda") - 20])
    first = whole.index(b"\xff\xd0", data)
    add("restart-missing", "damaged", whole[:first] + whole[first + 2 :])
    add("restart-wrong", "damaged", whole[: first + 1] + b"\xd3" + whole[first + 2 :])
    add("size-of-a-bomb", "damaged", whole.replace(b"\0\x1e\0\x28", b"\xff\0\xff\0", 1))
    # coefficients beyond what 8-bit samples give: libjpeg's implementations overflow in different ways
    add("coefficients-too-large", "damaged", write(Jpeg(16, 16, [(1, 1)], quant=8)).replace(bytes(range(1, 65)), b"\xff" * 64))


def entry(result: str, file: bytes) -> dict[str, object]:
    text = base64.b64encode(file).decode()
    if result != "ok":
        return {"result": result, "file": text}
    with Image.open(io.BytesIO(file)) as image:
        rgb = image.convert("RGB")
    return {"result": result, "size": rgb.size, "rgb_sha256": hashlib.sha256(rgb.tobytes()).hexdigest(), "file": text}


if __name__ == "__main__":
    samplings()
    sizes()
    tables_and_markers()
    left_to_sharp()
    damaged()
    images = {name: entry(*made) for name, made in sorted(FILES.items())}
    TARGET.write_text(json.dumps({"pillow": PIL.__version__, "images": images}, indent=1) + "\n")
