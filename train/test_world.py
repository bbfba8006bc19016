"""Checks of the drawn world: python -m unittest test_world"""

import random
import re
import unittest

import numpy as np

from mekiki_world.backgrounds import BACKGROUNDS
from mekiki_world.captions import all_words, caption, gallery_captions, lexicon, near_miss, read_caption, training_captions
from mekiki_world.render import patch_targets, render
from mekiki_world.scenes import KINDS, held_out_scenes, is_held_out, sibling, training_scene


class World(unittest.TestCase):
    def test_there_are_at_least_200_kinds_with_distinct_names(self):
        self.assertGreaterEqual(len(KINDS), 200)
        self.assertEqual(len({k.name for k in KINDS}), len(KINDS))

    def test_training_never_draws_a_held_out_combination(self):
        held_out = {s.key() for s in held_out_scenes("gallery", 1, 200)}
        for index in range(2000):
            key = training_scene(1, index).key()
            self.assertFalse(is_held_out(key))
            self.assertNotIn(key, held_out)

    def test_the_same_seed_draws_the_same_picture(self):
        first, second = (render(training_scene(3, 17), 128)[0] for _ in range(2))
        self.assertTrue(np.array_equal(first, second))
        self.assertFalse(np.array_equal(first, render(training_scene(3, 18), 128)[0]))

    def test_held_out_phrases_never_occur_in_training_captions(self):
        phrases = [p for k in KINDS for p in k.held_out] + [p for _, held_out in BACKGROUNDS.values() for p in held_out]
        self.assertFalse([p for p in phrases if p in lexicon()])
        rng = random.Random(2)
        text = " | ".join(c for i in range(3000) for c in training_captions(training_scene(1, i), rng, 2))
        self.assertFalse([p for p in phrases if re.search(rf"\b{re.escape(p)}\b", text)])

    def test_every_word_of_a_caption_is_listed(self):
        words, rng = all_words(), random.Random(4)
        for index in range(1000):
            scene = training_scene(1, index)
            near = near_miss(scene, rng, 1.0)
            for text in training_captions(scene, rng, 2) + list(near[:2] if near else []):
                self.assertFalse(set(re.findall("[a-z]+", text)) - words, text)

    def test_captions_name_what_the_scene_holds(self):
        rng, right, total = random.Random(5), 0, 0
        for index in range(300):
            scene = training_scene(1, index)
            want = {g.kind: g.count for g in scene.groups}
            for text in gallery_captions(scene, rng):
                total += 1
                right += read_caption(text) == want
        self.assertGreater(right / total, 0.97)

    def test_a_sibling_has_the_same_kinds_and_background_and_another_count(self):
        rng = random.Random(8)
        for index in range(500):
            scene = training_scene(1, index)
            other = sibling(scene, rng)
            if other is None:
                self.assertEqual(len(scene.groups), 5)
                continue
            self.assertEqual(other.key(), scene.key())
            self.assertEqual(len(other.things), sum(g.count for g in other.groups))
            self.assertEqual(sum(a.count != b.count for a, b in zip(scene.groups, other.groups)), 1)

    def test_a_near_miss_differs_from_its_true_caption(self):
        rng = random.Random(6)
        for index in range(300):
            pair = near_miss(training_scene(1, index), rng, 0.6)
            if pair:
                self.assertNotEqual(pair[0], pair[1])

    def test_patches_know_the_things_on_them(self):
        scene = training_scene(1, 5)
        _, owner = render(scene, 128)
        labels, _ = patch_targets(scene, owner, 8)
        self.assertLessEqual({l for l in labels if l < len(KINDS)}, {t.kind for t in scene.things})
        self.assertTrue(any(l < len(KINDS) for l in labels))

    def test_captions_depend_on_nothing_but_their_seed(self):
        scene = training_scene(1, 9)
        self.assertEqual(caption(scene, random.Random(1), 0.6), caption(scene, random.Random(1), 0.6))


if __name__ == "__main__":
    unittest.main()
