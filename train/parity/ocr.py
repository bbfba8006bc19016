"""Makes the reference outputs of reading words in pictures that `go test ./embed/ocr` compares with.

Usage: python ocr.py   (writes ../../embed/ocr/testdata/reference.json; needs rapidocr, onnxruntime)

Everything around the models is RapidOCR's and OpenCV's: boxes of a drawn score map, a picture resized, lines cut out of it, texts of
drawn scores.
"""

import base64
import json
import pathlib

import cv2
import numpy as np
from rapidocr.ch_ppocr_det.utils import DBPostProcess
from rapidocr.ch_ppocr_rec.utils import CTCLabelDecode
from rapidocr.utils.process_img import get_rotate_crop_image

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "embed" / "ocr" / "testdata" / "reference.json"


def packed(array: np.ndarray) -> dict:
    return {"shape": list(array.shape), "bytes": base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()}


def score_map(generator: np.random.Generator) -> np.ndarray:
    """A map with lines of several angles and sizes, some too small or too faint."""
    scores = np.zeros((192, 256), np.float32)
    for x, y, width, height, angle, score in [
        (60, 30, 90, 12, 0, 0.9), (180, 40, 80, 10, 12, 0.8), (70, 90, 100, 14, -20, 0.95), (200, 120, 20, 70, 0, 0.7),
        (40, 150, 6, 4, 0, 0.9), (120, 160, 60, 9, 3, 0.42), (220, 20, 2, 2, 0, 0.9), (120, 130, 50, 8, 45, 0.85)]:
        corners = cv2.boxPoints(((x, y), (width, height), angle)).astype(np.int32)
        cv2.fillPoly(scores, [corners], score)
    scores += generator.uniform(0, 0.05, scores.shape).astype(np.float32)
    return np.clip(scores, 0, 1)


def main() -> None:
    generator = np.random.default_rng(3)
    scores = score_map(generator)
    boxes, means = DBPostProcess(thresh=0.3, box_thresh=0.5, unclip_ratio=1.6, use_dilation=True)(scores[None, None], (384, 640))
    picture = cv2.GaussianBlur(generator.integers(0, 256, (60, 90, 3), np.uint8), (5, 5), 0)  # blue, green, red
    resized = cv2.resize(picture, (128, 64))
    smaller = cv2.resize(picture, (40, 25))
    quads = [[[10, 10], [70, 14], [68, 40], [8, 36]], [[20, 5], [34, 6], [32, 55], [18, 54]], [[0, 0], [89, 0], [89, 59], [0, 59]]]
    cuts = [get_rotate_crop_image(picture, np.array(quad, np.float32)) for quad in quads]
    characters = list("abcdé猫")
    logits = generator.uniform(0, 1, (2, 12, len(characters) + 2)).astype(np.float32)
    logits[0, 3:5] = logits[0, 3]  # the same class twice
    texts = CTCLabelDecode(character=list(characters))(logits)[0]
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps({
        "scores": packed(scores), "size": [640, 384], "boxes": np.array(boxes).tolist(), "means": [float(m) for m in means],
        "picture": packed(picture[..., ::-1]), "resized": packed(resized[..., ::-1]), "smaller": packed(smaller[..., ::-1]),
        "quads": quads, "cuts": [packed(cut[..., ::-1]) for cut in cuts],
        "characters": characters, "logits": packed(logits), "texts": [{"text": text, "score": float(score)} for text, score in texts],
    }))


if __name__ == "__main__":
    main()
