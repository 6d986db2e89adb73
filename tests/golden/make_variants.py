"""Draws pictures that break their formats' standards, or use rare parts of them, and records what Pillow reads.

python make_variants.py writes variants.json: each file in base64 with the SHA-256 of Pillow's RGB bytes, or its error.
Made with Pillow 13.0.0 and libavif 1.4.2. The tests need only variants.json, not this program.
"""

import base64
import hashlib
import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from PIL import Image

TARGET = Path(__file__).with_name("variants.json")
FILES: dict[str, bytes] = {}


def picture(width: int = 61, height: int = 47, mode: str = "RGB") -> Image.Image:
    """A smooth gradient with noise: every row and column differs."""
    noise = np.random.default_rng(7).integers(0, 40, (height, width, 3))
    y, x = np.mgrid[0:height, 0:width]
    ramp = np.stack([x * 200 // max(1, width), y * 200 // max(1, height), (x * y) % 200], axis=-1)
    return Image.fromarray((ramp + noise).astype(np.uint8)).convert(mode)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def png_of(parts: list[tuple[bytes, bytes]]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def jpegs() -> None:
    for name, image, options in [
        ("420", picture(), {"subsampling": 2}),
        ("progressive", picture(), {"progressive": True}),
        ("cmyk", picture(mode="CMYK"), {}),
    ]:
        jpeg = saved(image, "JPEG", quality=80, **options)
        table = jpeg.index(b"\xff\xdb")
        frame = jpeg.index(b"\xff\xc2" if name == "progressive" else b"\xff\xc0")
        for what, at, junk in [
            ("zero-byte", table, b"\0"),
            ("seven-bytes", table, b"\x01\x02\xff\x00abc"),
            ("escaped", frame, b"\xff\x00\xff\x00"),
            ("before-frame", frame, b"stray"),
            ("fill-20000", frame, b"\xff" * 20_000),
            ("app1-marker-00e1", table, b"\x00\xe1\x00\x08junk!!"),
            ("tem-marker", table, b"\xff\x01"),
            ("reserved-marker", table, b"\xff\x02"),
        ]:
            FILES[f"jpg-{name}-{what}.jpg"] = jpeg[:at] + junk + jpeg[at:]
        FILES[f"jpg-{name}-after-scan-head.jpg"] = jpeg[:2] + b"\xff\xff\xff" + jpeg[2:]


def gifs() -> None:
    whole = picture(40, 30).quantize(60)  # its data takes several blocks
    moved = picture(40, 30).rotate(30).quantize(60)
    transparent = saved(whole, "GIF", transparency=3)
    for name, gif in [
        ("static", saved(whole, "GIF")),
        ("interlaced", saved(whole, "GIF", interlace=1)),
        ("transparent", transparent),
        ("animated", saved(whole, "GIF", save_all=True, append_images=[moved], duration=50)),
    ]:
        colours = 3 * (2 << (gif[10] & 7)) if gif[10] & 0x80 else 0
        blocks = 13 + colours
        for what, junk in [("zero-byte", b"\0"), ("seven-bytes", b"\0\1\2abc\xff"), ("zeros-300", bytes(300))]:
            FILES[f"gif-{name}-{what}.gif"] = gif[:blocks] + junk + gif[blocks:]
        image = gif.index(b",", blocks)
        FILES[f"gif-{name}-before-image.gif"] = gif[:image] + b"\0\0x" + gif[image:]
        FILES[f"gif-{name}-comment.gif"] = gif[:blocks] + b"!\xfe\x03abc\0" + gif[blocks:]
        if name != "animated":
            for count in (1, 2, 3, 4, 8, 20):
                FILES[f"gif-{name}-cut-{count}.gif"] = gif[:-count]
            last = data = image + 11
            while gif[data]:
                last, data = data, data + 1 + gif[data]
            FILES[f"gif-{name}-cut-at-block.gif"] = gif[:last]
            FILES[f"gif-{name}-block-missing.gif"] = gif[:last] + b"\0;"
            FILES[f"gif-{name}-no-terminator.gif"] = gif[:data] + b";"
            FILES[f"gif-{name}-extra-block.gif"] = gif[:data] + b"\x03abc\0;"
    # Codes of 3 bits: 4 clears the table, 5 ends the data. Three pixels for each clear.
    for what, codes in [
        ("whole", [4, 0, 1, 2, 4, 3, 2, 1, 5]),
        ("end-too-early", [4, 0, 1, 2, 4, 3, 5]),
        ("no-end-code", [4, 0, 1, 2, 4, 3, 2, 1]),
        ("codes-after-end", [4, 0, 1, 2, 4, 3, 2, 1, 5, 4, 0, 1]),
        ("too-many-pixels", [4, 0, 1, 2, 4, 3, 2, 1, 4, 2, 2, 5]),
        ("unknown-code", [4, 0, 1, 2, 4, 3, 7, 1, 5]),
        ("no-first-clear", [0, 1, 4, 2, 3, 4, 2, 1, 5]),
    ]:
        packed = sum(code << (3 * place) for place, code in enumerate(codes))
        data = packed.to_bytes((3 * len(codes) + 7) // 8, "little")
        FILES[f"gif-codes-{what}.gif"] = (
            b"GIF89a\3\0\2\0\x81\0\0" + bytes(range(10, 130, 10))
            + b",\0\0\0\0\3\0\2\0\0\2" + bytes([len(data)]) + data + b"\0;"
        )  # fmt: skip
    FILES["gif-trailer-first.gif"] = transparent[:13] + b";" + transparent[13:]


def pngs() -> None:
    gray16 = Image.fromarray((np.arange(20 * 16, dtype=np.uint16) * 37).reshape(16, 20))
    for name, image in [
        ("l8", picture(20, 16, "L")),
        ("l1", picture(20, 16, "1")),
        ("p8", picture(20, 16).quantize(50)),
        ("rgb8", picture(20, 16)),
        ("rgba8", picture(20, 16, "RGBA")),
        ("l16", gray16),
    ]:
        png = saved(image, "PNG")
        parts = [part for part in chunks(png) if part[0] in (b"IHDR", b"PLTE", b"IDAT", b"IEND")]
        stream = b"".join(content for kind, content in parts if kind == b"IDAT")
        rows = zlib.decompress(stream)
        row = len(rows) // 16

        def with_stream(content: bytes, parts: list[tuple[bytes, bytes]] = parts) -> bytes:
            head = [part for part in parts if part[0] in (b"IHDR", b"PLTE")]
            return png_of([*head, (b"IDAT", content), (b"IEND", b"")])

        FILES[f"png-{name}-no-zlib-checksum.png"] = with_stream(stream[:-4])
        FILES[f"png-{name}-half-zlib-checksum.png"] = with_stream(stream[:-2])
        FILES[f"png-{name}-wrong-zlib-checksum.png"] = with_stream(stream[:-4] + b"\0\1\2\3")
        FILES[f"png-{name}-last-row-missing.png"] = with_stream(zlib.compress(rows[:-row]))
        FILES[f"png-{name}-half-the-rows.png"] = with_stream(zlib.compress(rows[: 8 * row]))
        FILES[f"png-{name}-one-row.png"] = with_stream(zlib.compress(rows[:row]))
        FILES[f"png-{name}-no-row.png"] = with_stream(zlib.compress(b""))
        FILES[f"png-{name}-half-a-row.png"] = with_stream(zlib.compress(rows[: 8 * row + row // 2]))
        FILES[f"png-{name}-row-missing-no-checksum.png"] = with_stream(zlib.compress(rows[:-row])[:-4])
        FILES[f"png-{name}-stream-cut.png"] = with_stream(stream[: len(stream) // 2])
        FILES[f"png-{name}-rows-too-many.png"] = with_stream(zlib.compress(rows + rows[:row]))
        FILES[f"png-{name}-unknown-filter.png"] = with_stream(
            zlib.compress(rows[: 5 * row] + b"\x09" + rows[5 * row + 1 :])
        )
        for part_name in (b"ABCD", b"teXt", b"aaaa"):
            extra = (part_name, b"key\0value")
            for where, at in [("first", 0), ("second", 1), ("before-end", len(parts) - 1)]:
                label = part_name.decode().lower() + ("" if part_name != b"ABCD" else "-critical")
                FILES[f"png-{name}-{label}-{where}.png"] = png_of([*parts[:at], extra, *parts[at:]])
        FILES[f"png-{name}-in-pieces.png"] = png_of(
            [part for part in parts if part[0] in (b"IHDR", b"PLTE")]
            + [(b"IDAT", stream[i : i + 50]) for i in range(0, len(stream), 50)]
            + [(b"IEND", b"")]
        )
        FILES[f"png-{name}-chunk-between-idat.png"] = png_of(
            [part for part in parts if part[0] in (b"IHDR", b"PLTE")]
            + [(b"IDAT", stream[:40]), (b"tEXt", b"a\0b"), (b"IDAT", stream[40:]), (b"IEND", b"")]
        )
        whole = png_of(parts)
        for count in (4, 12, 14, 16, 18, 20, 30):
            FILES[f"png-{name}-file-cut-{count}.png"] = whole[:-count]
    # Adam7: Pillow cannot write it.
    rgb = np.asarray(picture(20, 16))
    raw = b""
    for left, top, step_x, step_y in [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ]:
        raw += b"".join(b"\0" + line.tobytes() for line in rgb[top::step_y, left::step_x])
    header = (b"IHDR", struct.pack(">IIBBBBB", 20, 16, 8, 2, 0, 0, 1))
    last = 1 + 3 * 20
    for what, content in [
        ("whole", zlib.compress(raw)),
        ("no-zlib-checksum", zlib.compress(raw)[:-4]),
        ("last-row-missing", zlib.compress(raw[:-last])),
        ("last-pass-missing", zlib.compress(raw[: -8 * last])),
        ("half-a-row", zlib.compress(raw[: -last // 2])),
    ]:
        FILES[f"png-adam7-{what}.png"] = png_of([header, (b"IDAT", content), (b"IEND", b"")])


def with_matrix(avif: bytes, matrix: int) -> bytes:
    patched, at = bytearray(avif), avif.find(b"colrnclx")
    while at >= 0:
        patched[at + 12 : at + 14] = struct.pack(">H", matrix)
        at = avif.find(b"colrnclx", at + 4)
    return bytes(patched)


def avifs() -> None:
    small = picture(33, 27)
    alpha = picture(32, 24, "RGBA")
    alpha.putalpha(Image.linear_gradient("L").resize(alpha.size))
    for chroma in ("4:2:0", "4:2:2", "4:4:4", "4:0:0"):
        name = "avif-" + chroma.replace(":", "")
        for ends in ("full", "limited"):
            avif = saved(small, "AVIF", subsampling=chroma, quality=70, range=ends, speed=8)
            FILES[f"{name}-{ends}.avif"] = avif
            for matrix in (0, 1, 2, 5, 8, 9, 10, 12):
                FILES[f"{name}-{ends}-matrix-{matrix}.avif"] = with_matrix(avif, matrix)
        for width, height in ((1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (1, 9), (9, 1), (9, 2), (2, 9), (4, 5)):
            FILES[f"{name}-{width}x{height}.avif"] = saved(
                picture(width, height), "AVIF", subsampling=chroma, quality=90, speed=8
            )
    frames = [small.rotate(40), small.rotate(80)]
    FILES["avif-animated.avif"] = saved(small, "AVIF", save_all=True, append_images=frames, speed=8)
    FILES["avif-animated-alpha.avif"] = saved(alpha, "AVIF", save_all=True, append_images=[alpha.rotate(40)], speed=8)
    FILES["avif-animated-gray.avif"] = saved(
        small, "AVIF", save_all=True, append_images=frames, speed=8, subsampling="4:0:0"
    )
    FILES["avif-alpha.avif"] = saved(alpha, "AVIF", speed=8)
    FILES["avif-alpha-premultiplied.avif"] = saved(alpha, "AVIF", speed=8, alpha_premultiplied=True)
    FILES["avif-film-grain.avif"] = saved(small, "AVIF", speed=8, quality=40, advanced={"film-grain-test": "5"})
    for orientation in range(2, 9):
        exif = Image.Exif()
        exif[0x112] = orientation
        FILES[f"avif-exif-{orientation}.avif"] = saved(small, "AVIF", speed=8, exif=exif)
    # sharp.avif({bitdepth, chromaSubsampling}): no colr box, 10 and 12 bits. Pillow cannot write these.
    for name, kept in json.loads(TARGET.read_text())["images"].items():
        if name.startswith("avif-sharp-"):
            FILES[name] = base64.b64decode(kept["file"])


def tiffs() -> None:
    for name, image, options in [
        ("ycbcr", picture(mode="YCbCr"), {}),
        ("ycbcr-lzw", picture(mode="YCbCr"), {"compression": "tiff_lzw"}),
        ("ycbcr-jpeg", picture(mode="YCbCr"), {"compression": "jpeg"}),
        ("lab", picture(mode="RGB").convert("LAB"), {}),
        ("i32", picture(mode="I"), {}),
        ("la", picture(mode="LA"), {}),
        ("pa", picture(mode="PA"), {}),
        ("one-bit", picture(mode="1"), {"compression": "group4"}),
        ("rgba-deflate", picture(mode="RGBA"), {"compression": "tiff_adobe_deflate"}),
        ("rgb-jpeg", picture(), {"compression": "jpeg"}),
        ("cmyk-lzw", picture(mode="CMYK"), {"compression": "tiff_lzw"}),
        ("f32", picture(mode="F"), {}),
    ]:
        try:
            FILES[f"tif-{name}.tif"] = saved(image, "TIFF", **options)
        except OSError as error:
            print(name, error)  # Pillow cannot write it
    gray = picture(mode="L")
    for name in ("zstd", "lzma"):
        FILES[f"tif-{name}.tif"] = saved(gray, "TIFF", compression=name)
    raw = saved(gray, "TIFF")
    FILES["tif-cut.tif"] = raw[:-40]
    FILES["tif-cut-strips.tif"] = saved(picture(), "TIFF", strip_size=1000)[:-300]
    # PlanarConfiguration (284), a SHORT, from 1 to 2.
    planar = struct.pack("<HHI", 284, 3, 1)
    bits = saved(picture(mode="1"), "TIFF")
    FILES["tif-one-bit-planes.tif"] = bits.replace(planar + b"\x01", planar + b"\x02")
    assert FILES["tif-one-bit-planes.tif"] != bits


def read(data: bytes) -> dict[str, Any]:
    try:
        with Image.open(io.BytesIO(data)) as image:
            rgb = image.convert("RGB")
            return {"size": list(rgb.size), "rgb_sha256": hashlib.sha256(rgb.tobytes()).hexdigest()}
    except Exception as error:  # noqa: BLE001
        return {"error": f"{type(error).__name__}: {error}".split(" <")[0].split(" (")[0]}


def main() -> None:
    for draw in (jpegs, gifs, pngs, avifs, tiffs):
        draw()
    images = {name: {**read(data), "file": base64.b64encode(data).decode()} for name, data in sorted(FILES.items())}
    TARGET.write_text(json.dumps({"pillow": PIL.__version__, "images": images}, indent=1) + "\n")


if __name__ == "__main__":
    main()
