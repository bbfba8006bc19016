"""Checks of questions, facts and the second stage's texts: python -m unittest test_answers"""

import random
import re
import tempfile
import unittest
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers

import answers
import evaluate
import evaluate_answers
import export_answers
import language
import named
import slots
from mekiki_world import wordings
from mekiki_world.captions import read_caption
from mekiki_world.facts import FLAGS, VALUED, facts, is_held_out
from mekiki_world.kinds import plural_of
from mekiki_world.questions import FACT_FORMS, FORMS, NUMBERS, SORT_WEIGHTS, Asker, named_fact, plain_caption, questions, statement
from mekiki_world.scenes import KINDS, training_scene


def pattern(form: str) -> re.Pattern:
    """A form as a regular expression."""
    return re.compile(re.sub(r"\\\{\w\\\}", ".+", re.escape(form)) + "$")


def asked(number: int = 1500):
    """Scenes of the training stream, each with its questions."""
    rng = random.Random(3)
    for index in range(number):
        scene = training_scene(1, index)
        yield scene, questions(scene, rng, 8)


class Facts(unittest.TestCase):
    def test_every_kind_has_facts_that_are_known(self):
        self.assertEqual(len(facts()), len(KINDS))
        for kind, known in zip(KINDS, facts()):
            self.assertIn("class", known, kind.name)
            self.assertGreaterEqual(len(known), 4, kind.name)
            self.assertFalse(set(known) - set(VALUED) - set(FLAGS), kind.name)

    def test_answers_are_short(self):
        self.assertFalse([v for known in facts() for v in known.values() if len(v.split()) > 3])

    def test_about_a_fifth_of_the_facts_are_kept_from_pictures(self):
        held = [is_held_out(kind, fact) for kind, known in enumerate(facts()) for fact in known]
        self.assertTrue(0.17 < sum(held) / len(held) < 0.23, sum(held) / len(held))


class Questions(unittest.TestCase):
    def test_training_never_asks_a_held_out_fact_through_a_picture(self):
        for scene, made in asked():
            held = {(fact, facts()[g.kind][fact]) for g in scene.groups for fact in facts()[g.kind] if is_held_out(g.kind, fact)}
            free = {(fact, facts()[g.kind][fact]) for g in scene.groups for fact in facts()[g.kind] if not is_held_out(g.kind, fact)}
            for question in made:
                self.assertFalse(question.held_out_fact)
                if question.fact:
                    self.assertIn((question.fact, question.answer), free)
                    self.assertFalse(len(scene.groups) == 1 and (question.fact, question.answer) in held, question)

    def test_text_teaches_held_out_facts(self):
        rng = random.Random(5)
        held = {(fact, value) for kind, known in enumerate(facts()) for fact, value in known.items() if is_held_out(kind, fact)}
        answers = {named_fact(rng)[1] for _ in range(20000)}
        self.assertFalse({value for _, value in held} - answers)

    def test_training_never_uses_a_held_out_form(self):
        held = [pattern(f) for table in (FORMS, FACT_FORMS) for _, forms in table.values() for f in forms]
        seen = [pattern(f) for table in (FORMS, FACT_FORMS) for forms, _ in table.values() for f in forms]
        for _, made in asked(400):
            for question in made:
                self.assertTrue(any(p.match(question.text) for p in seen), question)
                strict = [p for p in held if p.match(question.text)]
                self.assertFalse(strict and not any(p.match(question.text) for p in seen), question)

    def test_no_wording_of_training_has_three_words_in_a_row_that_only_held_out_forms_have(self):
        kept, held = wordings.kept_out(), [pattern(f) for table in (FORMS, FACT_FORMS) for _, forms in table.values() for f in forms]
        seen = [pattern(f) for table in (FORMS, FACT_FORMS) for forms, _ in table.values() for f in forms]
        self.assertIn(("do", "you", "see"), kept)
        rng, different = random.Random(4), set()
        for facts, table in ((False, wordings.WORDINGS), (True, wordings.FACT_WORDINGS)):
            for name in table:
                made = [wordings.wording(name, rng, facts, ()) for _ in range(200)]
                self.assertFalse([form for form in made if wordings.triples(form) & kept], name)
        for index in range(200):
            for question in questions(training_scene(1, index), rng, 8, varied=1.0):
                different.add(question.text)
                self.assertFalse(any(p.match(question.text) for p in held) and not any(p.match(question.text) for p in seen), question)
                self.assertFalse(question.held_out_fact or question.held_out_form)
        self.assertGreater(len(different), 1200)

    def test_every_sort_has_forms_kept_for_evaluation(self):
        for table in (FORMS, FACT_FORMS):
            for name, (seen, held) in table.items():
                self.assertTrue(seen and held, name)
                self.assertFalse(set(seen) & set(held), name)

    def test_counts_are_those_of_the_scene(self):
        checked = 0
        for scene, made in asked():
            counts = {g.kind: g.count for g in scene.groups}
            for question in made:
                if question.form != "count":
                    continue
                kinds = [k.index for k in KINDS for n in (k.name, *k.synonyms) if re.search(rf"\b{re.escape(plural_of(n))}\b", question.text)]
                self.assertIn(NUMBERS.index(question.answer), [counts.get(k, 0) for k in kinds], question)
                checked += 1
        self.assertGreater(checked, 300)

    def test_left_and_right_are_those_of_the_scene(self):
        for scene, made in asked():
            for question in made:
                if question.form == "side" and question.text.endswith("on the left?"):
                    first = min(scene.things, key=lambda t: t.x)
                    self.assertEqual(question.answer, KINDS[first.kind].name)

    def test_yes_and_no_are_balanced(self):
        answers = [q.answer for _, made in asked() for q in made if q.sort == "yes/no"]
        self.assertTrue(0.4 < answers.count("yes") / len(answers) < 0.6, answers.count("yes") / len(answers))

    def test_facts_through_a_picture_do_not_name_the_kind(self):
        names = {n for k in KINDS for n in (k.name, *k.synonyms)} - {"star", "home", "orange"}
        for _, made in asked(600):
            for question in made:
                if question.fact:
                    words = re.findall(r"[a-z\-]+", question.text)
                    self.assertFalse([n for n in names if n in words and n not in ("plant", "planet")], question)

    def test_every_sort_is_asked(self):
        self.assertEqual({q.sort for _, made in asked(400) for q in made}, set(SORT_WEIGHTS))

    def test_questions_depend_on_nothing_but_their_seed(self):
        scene = training_scene(1, 9)
        self.assertEqual(questions(scene, random.Random(1), 6), questions(scene, random.Random(1), 6))

    def test_plain_captions_name_what_the_scene_holds(self):
        rng, right = random.Random(5), 0
        for index in range(300):
            scene = training_scene(1, index)
            right += read_caption(plain_caption(scene, rng)) == {g.kind: g.count for g in scene.groups}
        self.assertGreater(right / 300, 0.95)

    def test_statements_are_sentences_about_kinds(self):
        rng = random.Random(7)
        self.assertTrue(all(any(k.name in s for k in KINDS) for s in (statement(rng) for _ in range(500))))


def letters() -> Tokenizer:
    """A tokenizer of single bytes."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate([*language.SPECIAL, *alphabet])}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens([language.IMAGE])
    return tokenizer


class GoingOn(unittest.TestCase):
    """--from: an exported folder is where training goes on."""

    def test_new_layers_change_nothing_at_first(self):
        tokenizer = letters()
        sizes = dict(language_width=32, language_inner=48, language_heads=4, language_kv_heads=2)
        known = answers.build(answers.Settings(language_layers=2, **sizes), tokenizer).eval()
        with tempfile.TemporaryDirectory() as folder:
            export_answers.write(Path(folder), dict(known.named_parameters()), known.language_model.config, tokenizer, Path(answers.Settings().model))
            grown = answers.build(answers.Settings(language_layers=3, from_=folder, seed=5, **sizes), tokenizer).eval()
        texts, prefix = answers.Texts(tokenizer), torch.randn(1, slots.SLOTS, 32)
        batch = texts.pack([([texts.segment(("abc", False), ("def", True))], [])], slots.SLOTS)
        one, two = (m.language_model.hidden(prefix, batch) for m in (known, grown))
        self.assertTrue(torch.allclose(one, two, atol=2e-2), (one - two).abs().max())
        self.assertTrue(torch.allclose(known.query_tokens, grown.query_tokens, atol=1e-2))

    def test_places_are_said_by_bytes_that_no_text_holds(self):
        tokenizer = answers.Tokenizer.from_file("../embed/builtin/answers/tokenizer.json")
        every = "".join(chr(c) for c in range(1, 0x3000)) + "\U0001f431\U0010ffff"
        self.assertFalse(set(tokenizer.encode(every).ids) & set(slots.side_tokens(tokenizer)))
        self.assertEqual(len(set(slots.side_tokens(tokenizer))), 4)


class Naming(unittest.TestCase):
    """Where layers are taught to look."""

    def setUp(self):
        self.tokenizer = answers.Tokenizer.from_file("../embed/builtin/answers/tokenizer.json")
        self.texts, self.names = answers.Texts(self.tokenizer), named.Names(self.tokenizer)

    def named(self, question: str, answer: str) -> list[str]:
        ids, learned = self.texts.asked(question, answer)
        return [self.tokenizer.decode(ids[: end + 1]).split("?")[0].removeprefix("Question:").strip() for end, _ in self.names.named(ids, learned)]

    def test_the_longest_name_is_found(self):
        self.assertEqual(self.named("is the red fox above the house cat?", "no"), ["is the red fox", "is the red fox above the house cat"])
        self.assertEqual(self.named("how many house cats are there?", "two"), ["how many house cats"])

    def test_what_is_answered_is_not_a_name(self):
        self.assertEqual(self.named("what is this?", "cat"), [])

    def test_names_look_at_their_slots_and_answers_at_names(self):
        rng, absent, there = random.Random(3), 0, 0
        for index in range(60):
            scene = training_scene(1, index)
            question = Asker(scene, rng).is_there()
            labels, rows = slots.labels_of(scene), [([self.texts.asked(question.text, question.answer)], [])]
            batch = self.texts.pack(rows, slots.SLOTS)
            points = self.names.points(rows, [labels], batch)
            _, tokens, targets = points[named.FINDS]
            looked = targets[-1, 0].nonzero().flatten().tolist()
            if question.answer == "no":
                absent += 1
                self.assertEqual(looked, [slots.SLOTS])  # the text's first token
            else:
                there += 1
                self.assertTrue(all(labels["groups"][slot - slots.FIRST_GROUP] != slots.NOTHING for slot in looked), question)
            self.assertEqual(points[named.READS][2][0, 1].nonzero().flatten().tolist(), [slots.SLOTS + tokens[-1]])
            self.assertTrue(torch.allclose(targets.sum(-1), torch.ones(())))
        self.assertTrue(absent > 15 and there > 15)


class Packing(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)
        self.tokenizer = letters()
        settings = answers.Settings(language_width=32, language_inner=48, language_layers=2, language_heads=4, language_kv_heads=2)
        self.model = answers.build(settings, self.tokenizer).eval()
        self.texts = answers.Texts(self.tokenizer)

    def test_a_text_is_read_alike_alone_and_among_others(self):
        prefix = torch.randn(2, slots.SLOTS, 32)
        own = self.texts.segment(("abc", False), ("def", True))
        other = self.texts.segment(("a longer text that fills a bin", False), ("x", True))
        alone = self.texts.pack([([own], []), ([own], [])], slots.SLOTS)
        packed = self.texts.pack([([other, own], [other]), ([other, other, own], [])], slots.SLOTS)
        first = self.model.language_model.hidden(prefix, alone)
        second = self.model.language_model.hidden(prefix, packed)
        for row, text in ((0, 1), (1, 2)):
            (a, start), (b, at) = alone["places"][row][0], packed["places"][row][text]
            self.assertTrue(torch.allclose(first[a, start : start + len(own[0])], second[b, at : at + len(own[0])], atol=1e-5))

    def test_a_text_without_a_picture_does_not_see_one(self):
        own = self.texts.segment(("abc", False), ("def", True))
        batch = self.texts.pack([([], [own])], slots.SLOTS)
        one, two = (self.model.language_model.hidden(torch.randn(1, slots.SLOTS, 32), batch) for _ in range(2))
        self.assertTrue(torch.equal(one[:, : len(own[0])], two[:, : len(own[0])]))

    def test_transformers_generates_the_same(self):
        """What answers.py trains is what transformers runs from the exported folder, from pixels to words."""
        first = Path(answers.Settings().model)
        with tempfile.TemporaryDirectory() as folder:
            export_answers.write(Path(folder), dict(self.model.named_parameters()), self.model.language_model.config, self.tokenizer, first)
            published, _ = evaluate_answers.load(Path(folder), first)
        self.model.load_state_dict({n: t for n, t in published.state_dict().items() if n in dict(self.model.named_parameters())}, strict=False)
        vision, _ = evaluate.load(first)
        pixels = torch.randn(2, 3, 128, 128)
        start = self.tokenizer.encode("Question: what?").ids
        image = self.tokenizer.token_to_id(language.IMAGE)
        ids = torch.tensor([[image] * slots.SLOTS + [language.BEGIN] + start] * 2)
        with torch.no_grad():
            out = published.generate(pixel_values=pixels, input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, min_new_tokens=8, do_sample=False)
            prefix = self.model.language_projection(self.model.queries(vision.image_tokens(pixels)))
            for row in range(2):
                text = [language.BEGIN] + start
                for _ in range(8):
                    batch = self.texts.pack([([(text, [False] * len(text))], [])], slots.SLOTS)
                    logits = self.model.language_model.logits(self.model.language_model.hidden(prefix[row : row + 1], batch))[0, len(text) - 1]
                    logits[language.END] = -1e9
                    text.append(int(logits.argmax()))
                self.assertEqual(out[row, -8:].tolist(), text[-8:])


if __name__ == "__main__":
    unittest.main()
