"""Every knob of the recipe, as named presets and command-line flags."""

from dataclasses import dataclass, fields
import argparse


@dataclass
class Settings:
    """Sizes, lengths and rates of one training run. Fields are command-line flags of the same name."""

    seed: int = 1
    output: str = "run"
    # The model.
    image_size: int = 128
    patch_size: int = 16
    vision_width: int = 192
    vision_layers: int = 6
    vision_heads: int = 3
    qformer_width: int = 192
    qformer_layers: int = 4
    qformer_heads: int = 4
    query_tokens: int = 16
    projection: int = 256
    positions: int = 64
    common_words: int = 4500
    # Stage 0: dense pretraining of the vision encoder.
    vision_steps: int = 350
    vision_batch: int = 128
    vision_patches: int = 28  # patches looked at in the first nine tenths of stage 0 (0: all)
    # Stage 1: ITC, ITM and ITG.
    steps: int = 2200
    batch: int = 96
    patches: int = 40  # patches looked at in the first part of stage 1 (0: all)
    full_from: float = 0.65  # share of stage 1 after which every patch is looked at
    matching_weight: float = 2.0  # of ITM's loss
    matching: int = 64  # images of a batch that take part in ITM (each with one true and two false pairs)
    partial: float = 0.35  # share of ITM's true texts that name only some of what the picture holds
    generation_weight: float = 1.0  # of ITG's loss
    siblings: float = 0.25  # share of a batch's pictures that are another one's sibling: the same kinds and background, another count
    young: int = 1  # 0 for a run that goes on from trained weights: no easy negatives and no linear read-out at its beginning
    text_length: int = 40
    dense_weight: float = 2.0
    vision_factor: float = 0.5  # of matrix_rate, for the pretrained vision encoder
    # Optimisation: Muon for hidden matrices, AdamW for the rest.
    matrix_rate: float = 4e-3
    other_rate: float = 1.5e-3
    word_rate: float = 3e-4
    weight_decay: float = 0.02
    warmup: int = 60
    decay_share: float = 0.35  # share of a stage over which the rate falls to nothing (square-root shape is not used: linear)
    # Running.
    threads: int = 2
    workers: int = 2
    log_every: int = 20
    save_every: int = 100
    evaluate_every: int = 300
    validation: int = 300
    minutes: float = 0.0  # stage 1 fits its schedule to this much wall-clock time when set


PRESETS = {
    "cpu": {},
    # About 60x the arithmetic of "cpu"; for one data-centre GPU and an hour.
    "gpu": dict(
        image_size=160, vision_width=384, vision_layers=8, vision_heads=6, qformer_width=384, qformer_layers=4, qformer_heads=6,
        query_tokens=24, vision_patches=0, patches=0, vision_steps=8000, vision_batch=256, steps=24000, batch=256, matching=192, common_words=6000,
        matrix_rate=2e-3, other_rate=8e-4, word_rate=1e-4, warmup=500, workers=14, save_every=1000, evaluate_every=2000, validation=600,
    ),
}


def from_flags(kind, description: str):
    """A dataclass of settings whose fields are flags of the same name (from_ is --from), from the command line."""
    parser = argparse.ArgumentParser(description=description)
    for f in fields(kind):
        parser.add_argument("--" + f.name.rstrip("_").replace("_", "-"), dest=f.name, type=f.type, default=f.default)
    return kind(**vars(parser.parse_args()))


def parse(description: str, arguments=None) -> Settings:
    """Settings from the command line: a preset first, single flags over it."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="cpu")
    for f in fields(Settings):
        parser.add_argument("--" + f.name.replace("_", "-"), type=f.type if callable(f.type) else {"int": int, "float": float, "str": str}[f.type], default=None)
    given = vars(parser.parse_args(arguments))
    values = dict(PRESETS[given.pop("preset")])
    values.update({name: value for name, value in given.items() if value is not None})
    return Settings(**values)
