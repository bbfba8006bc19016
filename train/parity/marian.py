"""Makes the checkpoints and reference outputs of translation models that `go test ./embed/translate` compares with.

Usage: python marian.py   (writes ../../embed/translate/testdata/<name>/)

A checkpoint is a small MarianMTModel of Hugging Face transformers with random weights, saved as transformers saves it, in
float16, and SentencePiece models trained on the sentences below. Outputs are transformers' in float32: token ids, encoder
states, teacher-forced logits, and the texts that greedy and beam search write.
"""

import io
import json
import pathlib
import random

import sentencepiece
import torch
import transformers
from reference import pack
from transformers import MarianConfig, MarianMTModel, MarianTokenizer

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "embed" / "translate" / "testdata"

SOURCE = """浜辺にいる二匹の犬
古い家の前に停まっている赤い車
電車で本を読んでいる女性
夕焼けの雪山
テーブルの上の白い猫と黒い猫
子供たちが公園でサッカーをしている
赤い花と青い空
二匹の猫が椅子で寝ている
駅の前の古い時計
海の上を飛ぶ鳥
雨の日に傘をさす人々
白い皿に載ったパスタとサラダ
山の上の小さな家
夜の街の明かり
2019年の夏の写真
""".splitlines()
TARGET = """two dogs on a beach
a red car parked in front of an old house
a woman reading a book on the train
mountains with snow at sunset
a white cat and a black cat on the table
children playing football in the park
red flowers and a blue sky
two cats sleeping on a chair
an old clock in front of the station
a bird flying over the sea
people with umbrellas on a rainy day
pasta and salad on a white plate
a small house on a mountain
lights of a town at night
a photograph of the summer of 2019
""".splitlines()

MODELS = {
    "small": dict(seed=3, width=48, heads=3, layers=2, decoder=3, inner=72, decoder_inner=56, act="swish", scale=True, beams=4),
    "relu": dict(seed=5, width=32, heads=4, layers=3, decoder=1, inner=40, decoder_inner=64, act="relu", scale=False, beams=1),
}

TEXTS = ["浜辺の犬", "赤い車", "二匹の猫が公園にいる", "電車で本を読む人と白い猫、2019年。", "cat", "x"]
TAUGHT = 7


def train(sentences: list[str], size: int) -> bytes:
    """A SentencePiece model as OPUS-MT's are: unigrams, NFKC, no special pieces of its own."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences * 20), model_writer=model, vocab_size=size, model_type="unigram",
        character_coverage=0.98, hard_vocab_limit=False, minloglevel=2)
    return model.getvalue()


def strings() -> list[str]:
    """Texts of many kinds for the tokenizer."""
    generator = random.Random(7)
    pool = list("浜辺犬車赤い二匹猫のがで公園本を読abcdefghij XYZ019.,!?'\"-éüßñ　ｱｲｳＡＢＣ１２①㍍ﬁ\u0301\u3099\t\n\u200b\u00a0️🐈한국어рус👩‍👧αβ")
    list_ = SOURCE + TARGET + ["", " ", "  ", "a", "▁", "</s>", "<unk> a", "a</s>b", "a  b", " a ", "\u0000a", "ガラス", "ｶﾞﾗｽ", "①②", "ｶ", "ﾊﾟﾋﾟ", "ﾞｶ"]
    for _ in range(300):
        list_.append("".join(generator.choice(pool) for _ in range(generator.randint(1, 24))))
    for _ in range(100):
        words = generator.sample(SOURCE + TARGET, 2)
        list_.append(words[0][: generator.randint(1, 9)] + generator.choice(["", " ", "\u3000", "、"]) + words[1])
    return list_


def write(name: str, spec: dict) -> None:
    folder = OUTPUT / name
    folder.mkdir(parents=True, exist_ok=True)
    source, target = train(SOURCE, 140), train(TARGET, 110)
    (folder / "source.spm").write_bytes(source)
    (folder / "target.spm").write_bytes(target)  # which transformers wants, and decoding does without
    vocabulary = {"</s>": 0, "<unk>": 1}
    for model in (source, target):
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        for i in range(processor.get_piece_size()):
            piece = processor.id_to_piece(i)
            if piece != "<s>":
                vocabulary.setdefault(piece, len(vocabulary))
    vocabulary["<pad>"] = len(vocabulary)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    (folder / "tokenizer_config.json").write_text(json.dumps({"source_lang": "ja", "target_lang": "en", "model_max_length": 512}))
    tokenizer = MarianTokenizer(str(folder / "source.spm"), str(folder / "target.spm"), str(folder / "vocab.json"), source_lang="ja", target_lang="en")
    pad = len(vocabulary) - 1
    torch.manual_seed(spec["seed"])
    model = MarianMTModel(MarianConfig(
        vocab_size=len(vocabulary), d_model=spec["width"], encoder_layers=spec["layers"], decoder_layers=spec["decoder"],
        encoder_attention_heads=spec["heads"], decoder_attention_heads=spec["heads"], encoder_ffn_dim=spec["inner"],
        decoder_ffn_dim=spec["decoder_inner"], max_position_embeddings=64, activation_function=spec["act"],
        scale_embedding=spec["scale"], pad_token_id=pad, eos_token_id=0, forced_eos_token_id=None, decoder_start_token_id=pad, num_beams=spec["beams"]))
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if "embed_positions" in parameter_name:
                continue
            if "norm" in parameter_name and parameter_name.endswith("weight"):
                parameter.copy_(1 + 0.2 * torch.randn_like(parameter))
            else:
                parameter.copy_(torch.randn_like(parameter) * (0.3 if parameter.dim() > 1 else 0.1))
        model.final_logits_bias.copy_(torch.randn_like(model.final_logits_bias))
    for parameter in model.parameters():
        parameter.data.copy_(parameter.data.half())
    model.final_logits_bias.copy_(model.final_logits_bias.half())
    model = model.half()
    for old in folder.glob("*.safetensors"):
        old.unlink()
    model.save_pretrained(folder)
    model = model.float().eval()
    for half in (model.model.encoder, model.model.decoder):  # which are computed, and not rounded
        half.embed_positions.weight.data.copy_(half.embed_positions.create_weight())
    cases = []
    for text in TEXTS:
        ids = tokenizer(text, return_tensors="pt").input_ids
        with torch.no_grad():
            encoded = model.get_encoder()(ids).last_hidden_state
            greedy = model.generate(ids, num_beams=1, max_new_tokens=20, do_sample=False, bad_words_ids=[[pad]])
            taught = greedy[:, :TAUGHT]
            logits = model(input_ids=ids, decoder_input_ids=taught).logits
            beam = model.generate(ids, num_beams=5, max_new_tokens=20, do_sample=False, early_stopping=False, bad_words_ids=[[pad]])
        cases.append({
            "text": text, "ids": ids[0].tolist(), "encoded": pack(encoded[0]), "taught": taught[0].tolist(), "logits": pack(logits[0]),
            "greedy": greedy[0, 1:].tolist(), "beam": beam[0, 1:].tolist(), "beam_text": tokenizer.decode(beam[0], skip_special_tokens=True),
        })
    encodings = [{"text": text, "ids": tokenizer(text).input_ids} for text in strings()]
    decodings = [{"ids": ids, "text": tokenizer.decode(ids, skip_special_tokens=True)}
                 for ids in ([random.Random(i).randrange(pad) for _ in range(9)] for i in range(60))]
    (folder / "reference.json").write_text(json.dumps({
        "made_with": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__,
                      "sentencepiece": sentencepiece.__version__},
        "cases": cases, "encodings": encodings, "decodings": decodings}, ensure_ascii=True))


if __name__ == "__main__":
    for name, spec in MODELS.items():
        write(name, spec)
