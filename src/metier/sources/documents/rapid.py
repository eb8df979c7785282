"""The child process that recognises one page image with rapidocr: PNG on standard input, text on standard output."""

import io
import sys

from metier.sources.documents.confine import confine
from metier.sources.documents.limits import Limits

_STRIP = 240
"""Pixels: the finder of lines takes memory by the size of the image, so a page goes through it in strips."""


def main(bounds: dict[str, int]) -> None:
    """Read, recognise, print. `bounds` are the fields of `Limits`."""
    limits = Limits(**bounds)
    confine(
        memory=limits.memory_bytes,
        cpu=limits.cpu_seconds,
        written=limits.written_bytes,
        files=limits.open_files,
        threads=True,  # onnxruntime starts some whatever it is told
    )
    import cv2
    import numpy as np
    from PIL import Image
    from rapidocr import RapidOCR

    from metier.sources.documents.image import slices

    cv2.setNumThreads(0)
    engine = "EngineConfig.onnxruntime."
    recognise = RapidOCR(
        params={
            f"{engine}intra_op_num_threads": 1,
            f"{engine}inter_op_num_threads": 1,
            f"{engine}enable_cpu_mem_arena": False,
            "Global.use_cls": False,
            "Global.log_level": "critical",
            "Det.limit_type": "max",
            "Det.limit_side_len": 1600,
            "Rec.rec_batch_num": 1,
        }
    )
    page = Image.open(io.BytesIO(sys.stdin.buffer.read())).convert("RGB")
    for strip in slices(page, _STRIP):
        print("\n".join(getattr(recognise(np.asarray(strip)), "txts", None) or []))
