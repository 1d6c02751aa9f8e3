"""Ways to damage a file, the same ones every time."""

import io
import random
import struct
import zipfile
import zlib


def truncations(content, count=24):
    """Prefixes: the first bytes one by one, where headers are, and then evenly spread lengths."""
    lengths = set(range(1, min(9, len(content)))) | {len(content) - 1}
    lengths |= {len(content) * i // count for i in range(1, count)}
    return [(f"first {length} bytes", content[:length]) for length in sorted(lengths) if 0 < length < len(content)]


def flips(content, seed, count=36):
    """Copies with one to eight bytes replaced; every third has all of them in the first 256 bytes."""
    out = []
    for i in range(count):
        rng = random.Random(f"{seed}-{i}")
        damaged = bytearray(content)
        reach = min(len(damaged), 256) if i % 3 == 0 else len(damaged)
        for _ in range(rng.choice((1, 1, 2, 8))):
            damaged[rng.randrange(reach)] = rng.choice((0, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        out.append((f"flip {i}", bytes(damaged)))
    return out


def huge_words(content, seed, count=16):
    """Copies in which one aligned 32-bit word became an offset or a size that leaves the file."""
    rng = random.Random(f"{seed}-words")
    out = []
    for i in range(count):
        at = rng.randrange(max(1, (len(content) - 4) // 4)) * 4
        word = struct.pack("<I", rng.choice((0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x10000000)))
        out.append((f"word {i} at {at}", content[:at] + word + content[at + 4 :]))
    return out


def rezipped(content, change):
    """The archive `content` with each entry's bytes replaced by change(name, bytes); None drops the entry."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            replaced = change(name, old.read(name))
            if replaced is not None:
                new.writestr(name, replaced)
    return out.getvalue()


def zip_bomb(name="archive_name", size=1 << 30):
    """One deflated entry of `size` zero bytes, about a thousandth of that on disk."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open(name, "w", force_zip64=True) as entry:
            for _ in range(size >> 20):
                entry.write(bytes(1 << 20))
    return out.getvalue()


def lying_zip(claimed=1 << 40):
    """An entry of a few bytes whose directory says that it holds `claimed`."""
    name, data = b"model/archive_format", zlib.compress(b"pt2")[2:-4]
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 45, 0, 8, 0, 0, 0, len(data), 3, len(name), 0) + name + data
    extra = struct.pack("<HHQ", 1, 8, claimed)
    head = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 45, 45, 0, 8, 0, 0, 0, len(data), 0xFFFFFFFF,
                       len(name), len(extra), 0, 0, 0, 0, 0)  # fmt: skip
    central = head + name + extra
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def many_entries(count=70_000):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for i in range(count):
            archive.writestr(f"e/{i}", b"")
    return out.getvalue()


def strangers():
    """Files of other kinds: what a user may hand over by mistake, or to see what happens."""
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 640, 480, 8, 2, 0, 0, 0) + bytes(64)
    onnx = b"\x08\x07\x12\x07pytorch\x1a\x052.1.0:\x8a\x01\n\x1a\n\x01x\x12\x01y\x1a\x04node\"\x04Relu" + bytes(80)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("data.pkl", b"\x80\x02.")
    nested = io.BytesIO()
    with zipfile.ZipFile(nested, "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
    return {
        "empty": b"",
        "one byte": b"\0",
        "png": png,
        "text": b"This is not a model.\n" * 40,
        "json": b'{"model": "x.pte"}',
        "elf": b"\x7fELF\x02\x01\x01" + bytes(120),
        "onnx": onnx,
        "gzip": zlib.compress(bytes(1 << 16), wbits=31),
        "zip in zip": nested.getvalue(),
        "empty zip": b"PK\5\6" + bytes(18),
        "lying zip": lying_zip(),
        "zip bomb": zip_bomb(),
        "many entries": many_entries(),
        "deep json": b"[" * 200_000,
        "pte magic only": bytes(4) + b"ET12" + bytes(56),
        "etdump magic only": bytes(4) + b"ED00" + bytes(56),
        "bundle magic only": bytes(4) + b"BP08" + bytes(56),
        "ptd magic only": bytes(4) + b"FT01" + bytes(56),
        "npy magic only": b"\x93NUMPY\x01\x00",
        "npy long header": b"\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr'",
        "noise": random.Random("noise").randbytes(4096),
    }
