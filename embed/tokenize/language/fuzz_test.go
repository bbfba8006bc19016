package language

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io/fs"
	"strings"
	"testing"
	"unicode/utf8"
)

// only returns a reader of one file.
func only(name string, content []byte) func(string) ([]byte, error) {
	return func(asked string) ([]byte, error) {
		if asked == name {
			return content, nil
		}
		return nil, fs.ErrNotExist
	}
}

// use does with a tokenizer what can be done with one.
func use(t *testing.T, tokenizer *Tokenizer) {
	for _, text := range []string{"", "a cat's 2  dogs\n", "é\u0301 字👍🏽 </s>", "\xff\x00a", "▁▁ <0x41>"} {
		ids := tokenizer.Encode(text, 0).IDs
		if limited := tokenizer.Encode(text, 3).IDs; len(limited) > max(3, len(tokenizer.before)+len(tokenizer.after)) {
			t.Errorf("%q: %d tokens where 3 are the maximum", text, len(limited))
		}
		tokenizer.Decode(ids)
	}
	tokenizer.Decode([]int64{-1, 0, 1, 2, 1 << 40})
}

// fuzzFile fuzzes one of a tokenizer's files, beginning with those of the fixtures
// whose vocabularies are small enough.
func fuzzFile(f *testing.F, name string, seeds ...[]byte) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if tokenizer, err := Open(only(name, content)); err == nil {
			use(t, tokenizer)
		}
	})
}

const smallTokenizer = `{
 "added_tokens": [{"id": 5, "content": "<s>", "special": true}, {"id": 6, "content": "Cat", "normalized": true, "lstrip": true}],
 "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, {"type": "NFC"},
  {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}, {"type": "Lowercase"}, {"type": "Strip", "strip_left": true}]},
 "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits"}, {"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "▁"}]},
 "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}], "special_tokens": {"<s>": {"ids": [5]}}},
 "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
 "model": {"type": "BPE", "unk_token": "a", "byte_fallback": true, "fuse_unk": true, "vocab": {"a": 0, "c": 1, "ca": 2, "▁": 3, "▁ca": 4}, "merges": ["c a", ["▁", "ca"]]}}`

const smallBytes = `{"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true}, "decoder": {"type": "ByteLevel"},
 "post_processor": {"type": "RobertaProcessing", "cls": ["a", 0], "sep": ["b", 1]},
 "model": {"type": "BPE", "ignore_merges": true, "vocab": {"a": 0, "b": 1, "Ġ": 2, "Ġa": 3, "ab": 4}, "merges": ["Ġ a", "a b"]}}`

const smallUnigram = `{"normalizer": {"type": "Precompiled", "precompiled_charsmap": null},
 "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true}, "decoder": {"type": "Metaspace", "replacement": "▁"},
 "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": true, "vocab": [["<unk>", 0.0], ["▁", -2.0], ["a", -1.5], ["▁a", -1.0]]}}`

func TestSmallTokenizers(t *testing.T) {
	for text, want := range map[string]string{smallTokenizer: "ca", smallBytes: " aba", smallUnigram: "a a"} {
		tokenizer, err := Open(only(tokenizerFile, []byte(text)))
		if err != nil {
			t.Fatal(err)
		}
		use(t, tokenizer)
		ids := tokenizer.EncodeContinuation(strings.TrimPrefix(want, " "))
		if got := tokenizer.Decode(ids); got != want {
			t.Errorf("%q: got %q of %v", want, got, ids)
		}
	}
}

func FuzzTokenizerFile(f *testing.F) {
	fuzzFile(f, tokenizerFile, []byte(smallTokenizer), []byte(smallBytes), []byte(smallUnigram))
}

// smallModel returns a SentencePiece model.
func smallModel(kind byte) []byte {
	var model bytes.Buffer
	message := func(number byte, content []byte) {
		model.WriteByte(number<<3 | 2)
		model.Write(binary.AppendUvarint(nil, uint64(len(content))))
		model.Write(content)
	}
	for i, piece := range []string{"<unk>", "<s>", "</s>", "▁", "a", "▁a", "<0x41>"} {
		content := append([]byte{1<<3 | 2, byte(len(piece))}, piece...)
		content = append(content, 2<<3|5, 0, 0, 0x80, 0xBF) // -1
		if i == 1 || i == 2 {
			content = append(content, 3<<3, 3)
		}
		message(1, content)
	}
	message(2, []byte{3 << 3, kind})
	message(3, append([]byte{2<<3 | 2, 5}, 4, 0, 0, 0, 0))
	return model.Bytes()
}

func FuzzSentencePiece(f *testing.F) {
	fuzzFile(f, piecesFile, smallModel(1), smallModel(2))
}

func FuzzMerges(f *testing.F) {
	f.Add([]byte(`{"a": 0, "b": 1, "Ġ": 2, "ab": 3}`), []byte("#version: 0.2\na b\n"))
	f.Fuzz(func(t *testing.T, vocabulary, merges []byte) {
		tokenizer, err := Open(func(name string) ([]byte, error) {
			switch name {
			case vocabularyFile:
				return vocabulary, nil
			case mergesFile:
				return merges, nil
			}
			return nil, fs.ErrNotExist
		})
		if err == nil {
			use(t, tokenizer)
		}
	})
}

func FuzzMarian(f *testing.F) {
	f.Add([]byte(`{"</s>": 0, "<unk>": 1, "▁": 2, "a": 3, "▁a": 4, "<pad>": 5}`), smallModel(1))
	f.Add([]byte(`{"<unk>": -1, "a": 9999999999}`), smallModel(1))
	f.Fuzz(func(t *testing.T, vocabulary, source []byte) {
		tokenizer, err := Open(func(name string) ([]byte, error) {
			switch name {
			case vocabularyFile:
				return vocabulary, nil
			case sourceFile:
				return source, nil
			}
			return nil, fs.ErrNotExist
		})
		if err == nil {
			use(t, tokenizer)
		}
	})
}

func FuzzSettings(f *testing.F) {
	f.Add([]byte(`{"tokenizer_class": "LlamaTokenizer", "legacy": true, "bos_token": {"content": "<s>"}, "truncation_side": "left",
 "added_tokens_decoder": {"9": {"content": "x"}}, "extra_special_tokens": {"image_token": "<image>"}}`), []byte(`{}`), []byte(`{}`))
	f.Add([]byte(`{"extra_ids": 3, "add_eos_token": true}`), []byte(`{"unk_token": "a", "additional_special_tokens": ["b", {"content": "c"}]}`),
		[]byte(`{"<image>": 7}`))
	model := smallModel(2)
	f.Fuzz(func(t *testing.T, config, specials, added []byte) {
		tokenizer, err := Open(func(name string) ([]byte, error) {
			switch name {
			case settingsFile:
				return config, nil
			case specialsFile:
				return specials, nil
			case addedFile:
				return added, nil
			case piecesFile:
				return model, nil
			}
			return nil, fs.ErrNotExist
		})
		if err == nil {
			use(t, tokenizer)
		}
	})
}

// FuzzEncode checks that streams equal decoding, that continuations are what is
// between the special tokens, and that nothing panics, whatever the text.
func FuzzEncode(f *testing.F) {
	for _, text := range []string{"a cat, isn't it?", "  \n\t ", "é字👍🏽\xff", "<image></s>▁<0x0A>", strings.Repeat("\u0301", 40)} {
		f.Add(text)
	}
	var tokenizers []*Tokenizer
	for _, folder := range fixtures(f) {
		tokenizers = append(tokenizers, openFixture(f, folder))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, tokenizer := range tokenizers {
			ids := tokenizer.Encode(text, 0).IDs
			plain := tokenizer.EncodeContinuation(text)
			if len(ids) != len(plain)+len(tokenizer.before)+len(tokenizer.after) {
				t.Errorf("%q: %d tokens, %d without special ones", text, len(ids), len(plain))
			}
			if decoded := tokenizer.Decode(ids); !utf8.ValidString(decoded) {
				t.Errorf("%q: decoded as %q", text, decoded)
			}
		}
	})
}

// FuzzDecode checks that any ids can be decoded, and that what a stream passes on
// is the beginning of it.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 200, 4, 100, 5})
	var tokenizers []*Tokenizer
	for _, folder := range fixtures(f) {
		tokenizers = append(tokenizers, openFixture(f, folder))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var ids []int64
		for ; len(data) > 1; data = data[2:] {
			ids = append(ids, int64(binary.LittleEndian.Uint16(data))%2000-1)
		}
		for _, tokenizer := range tokenizers {
			want := tokenizer.Decode(ids)
			stream := tokenizer.Stream()
			var got strings.Builder
			for _, id := range ids {
				if got.WriteString(stream.Next(id)); !strings.HasPrefix(want, got.String()) {
					t.Fatalf("%v: %q is not the beginning of %q", ids, got.String(), want)
				}
			}
			if got.WriteString(stream.End()); got.String() != want || !utf8.ValidString(want) {
				t.Errorf("%v: got %q, want %q", ids, got.String(), want)
			}
		}
	})
}

func TestBadFiles(t *testing.T) {
	var valid map[string]any
	if err := json.Unmarshal([]byte(smallTokenizer), &valid); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"model", `"BPE"`, `"WordPiece"`, `the type "WordPiece"`},
		{"normalizer", `"NFC"`, `"NFKC"`, `the normalizer "NFKC"`},
		{"pre-tokenizer", `"Digits"`, `"Whitespace"`, `the pre-tokenizer "Whitespace"`},
		{"decoder", `"Fuse"`, `"CTC"`, `the decoder "CTC"`},
		{"post-processor", `"TemplateProcessing"`, `"Other"`, `the post-processor "Other"`},
		{"template", `"<s>": {"ids"`, `"<t>": {"ids"`, `no token "<s>"`},
		{"template's id", `"ids": [5]`, `"ids": [-5]`, "-5"},
		{"merge", `"c a"`, `"c a b"`, "not of two tokens"},
		{"unknown", `"unk_token": "a"`, `"unk_token": "x"`, "unknown token"},
		{"id", `"c": 1,`, `"c": -1,`, "-1"},
		{"order", `{"type": "Digits"}`, `{"type": "ByteLevel"}`, "follows ByteLevel"},
		{"end", "]]}}", "]]}", "unexpected end"},
		{"growth", `"content": "▁"},`, `"content": "` + strings.Repeat("x", 400) + `"},`, "grow"},
	} {
		text := strings.Replace(smallTokenizer, c.old, c.new, 1)
		if _, err := Open(only(tokenizerFile, []byte(text))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}
