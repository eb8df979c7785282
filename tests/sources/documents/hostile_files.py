"""Files that mean harm, built here: name -> (bytes, outcome): part of an error, "" for any outcome, None for text."""

import io
import json
import struct
import zipfile
import zlib

from rendered import ANNA, docx_of, pdf_of, scan_of

MEGA = 1_000_000
ENTITY = '<!DOCTYPE a [<!ENTITY b "lol">]><a>&b;</a>'


def files() -> dict[str, tuple[bytes, str | None]]:
    return {**pdfs(), **archives(), **images(), **texts()}


def pdf(*objects: bytes, trailer: bytes = b"/Root 1 0 R") -> bytes:
    """A PDF of objects numbered from 1."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer <</Size %d %s>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, trailer, start))


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<</Length %d %s>>\nstream\n%s\nendstream" % (len(data), entries, data)


def page(content: bytes, more: bytes = b"", *, box: bytes = b"0 0 595 842", extra: bytes = b"null") -> bytes:
    """One page; its font is object 5, `extra` object 6."""
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>%s>>>>" % (box, more),
        content,
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        extra,
    )


def deflated(size: int, letter: bytes = b" ") -> bytes:
    packer = zlib.compressobj(9)
    block = letter * MEGA
    return b"".join(packer.compress(block) for _ in range(size // MEGA)) + packer.flush()


def pdfs() -> dict[str, tuple[bytes, str | None]]:
    flate = b"/Filter/FlateDecode"
    nested = zlib.compress(zlib.compress(deflated(1000 * MEGA), 9), 9)
    good = pdf_of(ANNA)
    operations = b"BT /F 10 Tf 10 10 Td " + b"(a) Tj " * 400_000 + b"ET"
    letters = b"BT /F 10 Tf 10 10 Td " + b"(%s) Tj " % (b"a" * 300_000) + b"ET"
    huge = b"/Type/XObject/Subtype/Image/Width 90000/Height 90000/ColorSpace/DeviceGray/BitsPerComponent 8"
    many = b"<</Type/Pages/Kids[%s]/Count 10000>>" % (b"3 0 R " * 10_000)
    loop = b"<</Type/Pages/Kids[2 0 R]/Count 1>>"
    self_form = stream(b"/X Do", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 6 0 R>>>>")
    return {
        "1 GB stream": (page(stream(deflated(1000 * MEGA), flate)), "unpacks"),
        "nested Flate": (page(stream(nested, b"/Filter[/FlateDecode/FlateDecode/FlateDecode]")), "unpacks"),
        "40 streams of 40 MB": (
            pdf(b"<</Type/Catalog/Pages 2 0 R>>", loop, *[stream(deflated(40 * MEGA), flate)] * 40),
            "unpacks",
        ),
        "a hundred filters": (page(stream(b"x", b"/Filter[" + b"/ASCIIHexDecode" * 100 + b"]")), ""),
        "400,000 text operations": (page(stream(zlib.compress(operations), flate)), "characters"),
        "300,000 letters at once": (page(stream(zlib.compress(letters), flate)), ""),
        "8.1 gigapixels": (page(stream(b"x", huge)), "pixels"),
        "10,000 pages": (
            pdf(b"<</Type/Catalog/Pages 2 0 R>>", many, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"),
            "pages",
        ),
        "page tree that holds itself": (pdf(b"<</Type/Catalog/Pages 2 0 R>>", loop), ""),
        "form that draws itself": (
            page(stream(b"/X Do"), b"/XObject<</X 6 0 R>>", extra=self_form),
            "",
        ),
        "300,000 arrays in one another": (page(stream(b"x")) + b"[" * 300_000, ""),
        "deep arrays as a page": (pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"[" * 100_000), ""),
        "endless page box": (page(stream(b"BT ET"), box=b"0 0 1e9 1e9"), ""),
        "50,000 empty objects": (pdf(*[b"null"] * 50_000), "objects"),
        "half a PDF": (good[: len(good) // 2], ""),
        "only the signature of a PDF": (b"%PDF-1.7", ""),
        "PDF without its table": (good[: good.rindex(b"xref\n0")], ""),
        "encrypted with an unknown method": (
            good.replace(b"/Root", b"/Encrypt <</Filter/Nonsense/V 9>> /Root"),
            "",
        ),
    }


def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_part(name: str, content: bytes) -> bytes:
    """Anna's DOCX with a part more, or another one."""
    with zipfile.ZipFile(io.BytesIO(docx_of(ANNA))) as archive:
        return zipped({entry: archive.read(entry) for entry in archive.namelist()} | {name: content})


def archives() -> dict[str, tuple[bytes, str | None]]:
    good = docx_of(ANNA)
    body = "word/document.xml"
    xxe = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
    laughs = "<!DOCTYPE a [" + "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * 10}">' for i in range(9)) + "]><a>&e9;</a>"
    outside = (
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r9" '
        b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" TargetMode="External" '
        b'Target="http://127.0.0.1:9/x.png"/></Relationships>'
    )
    deep = b"<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'>" + b"<w:p>" * 100_000
    lie = bytearray(with_part("word/big.xml", b" " * 2 * MEGA))
    place = lie.rindex(b"PK\x01\x02", 0, lie.rindex(b"word/big.xml"))
    lie[place + 24 : place + 28] = struct.pack("<I", 10)
    return {
        "DOCX of 200 MB": (with_part("word/big.xml", b" " * 200 * MEGA), "packed"),
        "DOCX of 60 MB that packs badly": (
            with_part("word/big.xml", noise()),
            "bytes",
        ),
        "DOCX of 1,000 parts": (with_parts(1_000), "parts"),
        "DOCX with an entity": (with_part("word/x.xml", ENTITY.encode()), "document type"),
        "DOCX with an entity in UTF-16": (with_part("word/x.xml", ENTITY.encode("utf-16")), "document type"),
        "DOCX with an outer entity": (with_part(body, xxe.encode()), "document type"),
        "DOCX with a billion laughs": (with_part(body, laughs.encode()), "document type"),
        "DOCX with an archive inside": (with_part("word/embeddings/a.bin", good), "archive inside"),
        "DOCX that asks for an outer picture": (with_part("word/_rels/footer9.xml.rels", outside), None),
        "DOCX of elements in one another": (with_part(body, deep), "packed"),
        "DOCX with a name that climbs": (with_part("../../../../tmp/climbed", b"x"), None),
        "DOCX that lies about a size": (bytes(lie), ""),
        "half a DOCX": (good[: len(good) // 2], "damaged"),
        "zip of zips": (
            zipped({"a.zip": zipped({"b.zip": zipped({"c": b"x"})})}, zipfile.ZIP_STORED),
            "archive inside",
        ),
        "zip of anything": (zipped({"a.txt": b"x"}), "neither"),
        "ODT with an entity": (
            zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": ENTITY.encode()}),
            "document type",
        ),
        "ODT without content": (zipped({"mimetype": b"application/vnd.oasis.opendocument.text"}), "damaged"),
    }


def noise() -> bytes:
    """60 MB that pack about 20 to 1."""
    return b"".join(b"%d " % (i * i) + b" " * 150 for i in range(370_000))


def with_parts(count: int) -> bytes:
    return zipped({f"word/{number}.xml": b"<a/>" for number in range(count)})


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, data: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def images() -> dict[str, tuple[bytes, str | None]]:
    return {
        "PNG of 10 gigapixels": (png(100_000, 100_000, b"x"), "pixels"),
        "PNG one pixel wide": (png(1, 24 * MEGA, deflated(48 * MEGA, b"\x00")), "pages high"),
        "PNG without an end": (scan_of("Anna")[:500], "broken image"),
        "JPEG of nothing": (b"\xff\xd8\xff\xe0" + b"\x00" * 100, "broken image"),
        "PNG called by another signature": (b"\xff\xd8\xff" + scan_of("Anna")[3:], "broken image"),
        "GIF": (b"GIF89a\x00\x00" + b"\x00" * 100, "GIF"),
    }


def texts() -> dict[str, tuple[bytes, str | None]]:
    return {
        "nothing": (b"", "empty"),
        "blanks": (b" \n" * 10, "empty"),
        "11 MB of text": (b"a " * 5_500_000, "larger"),
        "9 MB of text": (b"a " * 4_500_000, "characters"),
        "noise": (bytes(range(256)) * 100, "neither"),
        "JSON in one another": (b'{"work":' + b"[" * 200_000, "JSON"),
        "JSON of a long number": (b'{"basics":{"name":' + b"9" * 100_000 + b"}}", ""),
        "JSON of another shape": (json.dumps({"basics": {"name": ["x"]}}).encode(), "basics"),
        "RTF groups in one another": (b"{\\rtf1 " + b"{" * 200_000, "groups"),
        "RTF with binary lies": (b"{\\rtf1 \\bin999999999 x" + b"\\'" * 1000 + b"}", ""),
        "RTF of a huge Unicode number": (b"{\\rtf1 Anna \\u99999999999? \\u-70000? x}", ""),
        "HTML elements in one another": (b"<html><body>" + b"<div>" * 100_000 + b"x", "elements"),
        "HTML of styles": (
            b"<html><head><style>"
            + b"div div div{color:#fff}" * 20_000
            + b"</style></head><body>"
            + b"<div>" * 300
            + b"Anna</body></html>",
            "",
        ),
        "HTML of one attribute": (b"<html><body style='" + b"a:b;" * 500_000 + b"'>Anna</body></html>", ""),
        "old Office file": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "old Office"),
    }
