"""Questions about the gallery's held-out pictures, with their answers, in the layout of the VQA benchmark.

    python gallery_questions.py --folder ../embed/builtin/gallery

Writes questions.json: `questions` (question_id, image_id, image: the file's name, question, split as the gallery has it) and
`annotations` (answer_type, question_type: the sort, form: "seen" or "held-out", fact and held_out_fact where a
fact is asked, the answer, and four equal answers, since the benchmark counts how many other people agree and three are enough). Of questions
with yes or no there are as many of one as of the other.
"""

import argparse
import json
import random
from pathlib import Path

import gallery
from mekiki_world.questions import SORT_WEIGHTS, Asker, Question
from mekiki_world.scenes import Scene, held_out_scenes

ANSWER_TYPES = {"yes": "yes/no", "no": "yes/no"}
PEOPLE = 4
NUMBER_WORDS = ("none", "one", "two", "three", "four", "five")


def gallery_scenes(seed: int = 1, number: int = 640) -> list[Scene]:
    """The gallery's scenes, as gallery.py draws them."""
    taken = {s.key() for s in held_out_scenes("validation", seed, 600)}
    return held_out_scenes("gallery", seed, number, taken)


def balanced(questions: list[tuple[int, Question]], rng: random.Random) -> list[tuple[int, Question]]:
    """As many questions answered yes as no, of each sort and half of the gallery, by leaving some out."""
    kept, groups = [], {}
    for number, question in questions:
        if question.answer in ANSWER_TYPES:
            groups.setdefault((question.sort, question.held_out_fact, number % 2), {"yes": [], "no": []})[question.answer].append((number, question))
        else:
            kept.append((number, question))
    for group in groups.values():
        most = min(len(group["yes"]), len(group["no"]))
        kept += rng.sample(group["yes"], most) + rng.sample(group["no"], most)
    return sorted(kept, key=lambda entry: entry[0])


def ask(scenes: list[Scene], seed: int = 1) -> list[tuple[int, Question]]:
    """Two questions of different sorts about each scene and a fact or a held-out form for some, balanced."""
    rng, asked = random.Random(f"gallery questions:{seed}"), []
    sorts, weights = list(SORT_WEIGHTS), list(SORT_WEIGHTS.values())
    for number, scene in enumerate(scenes):
        made = {}
        for _ in range(20):
            question = Asker(scene, rng, held_out_forms=rng.random() < 0.25).question(rng.choices(sorts, weights)[0])
            if question:
                made.setdefault(question.sort, question)
            if len(made) == 2:
                break
        if any(g.container for g in scene.groups) and "colour" not in made:
            made["colour"] = Asker(scene, rng).question("colour")
        if rng.random() < 0.5:
            question = Asker(scene, rng, held_out_facts=True).fact()
            if question:
                made["held-out fact"] = question
        asked += [(number, q) for q in made.values()]
    return balanced(asked, rng)


def layout(scenes: list[Scene], asked: list[tuple[int, Question]]) -> dict:
    """The benchmark's layout."""
    questions, annotations = [], []
    for identifier, (number, q) in enumerate(asked, 1):
        image = gallery.file_name(scenes[number], number) + ".webp"
        questions.append({"question_id": identifier, "image_id": number, "image": image, "question": q.text, "split": "val" if number % 2 == 0 else "test"})
        kind = ANSWER_TYPES.get(q.answer, "number" if q.answer in NUMBER_WORDS else "other")
        entry = {"question_id": identifier, "image_id": number, "answer_type": kind, "question_type": q.sort, "form": "held-out" if q.held_out_form else "seen"}
        if q.fact:
            entry |= {"fact": q.fact, "held_out_fact": q.held_out_fact}
        annotations.append(entry | {"multiple_choice_answer": q.answer, "answers": [{"answer": q.answer}] * PEOPLE})
    return {"questions": questions, "annotations": annotations}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    scenes = gallery_scenes()
    names = {i["filename"] for i in json.loads((given.folder / "annotations.json").read_text())["images"]}
    made = layout(scenes, ask(scenes))
    if {q["image"] for q in made["questions"]} - names:
        raise SystemExit(f"{given.folder} holds other pictures than gallery.py draws")
    lines = lambda entries: ",\n".join(json.dumps(e) for e in entries)
    (given.folder / "questions.json").write_text('{"questions": [\n' + lines(made["questions"]) + '\n], "annotations": [\n' + lines(made["annotations"]) + "\n]}\n", encoding="utf-8")
    print(len(made["questions"]), "questions")


if __name__ == "__main__":
    main()
