"""python -m unittest test_refine"""

import random
import unittest
from pathlib import Path

import torch

import evaluate
import pool
import refine
from mekiki_world.captions import caption, read_caption
from mekiki_world.scenes import COLOURS


class Refine(unittest.TestCase):
    def test_mentions_are_what_captions_name(self):
        for number in range(300):
            scene, rng = pool.scene_of(number), random.Random(number)
            text = caption(scene, rng, rng.choice((0.0, 0.3, 0.6, 1.0)))
            self.assertEqual({kind for _, kind in refine.mentions(text) if kind is not None}, set(read_caption(text)), text)

    def test_targets_stand_at_the_names(self):
        model, tokenizer = evaluate.load(Path("../embed/builtin/model"))
        reader = refine.Reader(tokenizer)
        scene = next(s for s in map(pool.scene_of, range(1000)) if len(s.groups) == 2 and any(g.container for g in s.groups))
        held = next(g for g in scene.groups if g.container)
        text = caption(scene, random.Random(1), 1.0)
        wanted = reader.targets([("nothing is named", scene), (text, scene)])
        ids = tokenizer.batch(["nothing is named", text], evaluate.LENGTH)
        read = [tokenizer.vocabulary[ids[row, at]] for row, at in wanted["at"].tolist()]
        self.assertIn(held.container[0], read)
        at_box = read.index(held.container[0])
        self.assertEqual(list(COLOURS)[wanted["colours"][at_box]], held.container[1])
        self.assertTrue(all(row == 1 for row, _ in wanted["at"].tolist()))
        torch.testing.assert_close(wanted["places"][at_box], torch.tensor([held.x, held.y]))

    def test_passes_give_every_layer(self):
        model, tokenizer = evaluate.load(Path("../embed/builtin/model"))
        image = torch.randn(2, 65, 192, generator=torch.Generator().manual_seed(1))
        ids = tokenizer.batch(["a cat", "two dogs in the snow"], evaluate.LENGTH)
        queries = model.query_tokens.shape[1]
        with torch.no_grad():
            logits = model.match_logits(image, ids, every := [])
            torch.testing.assert_close(logits, model.match_logits(image, ids))
            torch.testing.assert_close(logits, model.itm_head(every[-1][:, :queries]).mean(1))
            torch.testing.assert_close(refine.before_layer(model, 2, image, ids), every[1])
            own = model.queries_and_causal_text(image, ids, every := [])
            for part, other, last in zip(own, model.queries_and_causal_text(image, ids), (every[-1][:, :queries], every[-1][:, queries:])):
                torch.testing.assert_close(part, other)
                torch.testing.assert_close(part, last)


if __name__ == "__main__":
    unittest.main()
