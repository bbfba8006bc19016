package main

// An entry says where one file, or the files of a folder, are from.
type entry struct {
	// path is a file, or a folder with a slash at its end, for the files directly in it and below that no other entry names.
	path string
	// digest is the SHA-256 of the file; of a folder, that of the lines "SHA-256 name" of its files in order of name. It is
	// empty for files that tests and pages may change at any time.
	digest string
	// from fetches the file from its source; nil where that cannot be done.
	from source
	// made says how the file came to be, and where from is nil why it is not compared with its source.
	made string
}

// table lists every binary file of the repository, and text that is another project's.
var table = []entry{
	{
		path: "embed/pixels/heif/heif.wasm.gz", digest: "3634a6447ea3915633667f39e01ff540a60f4e2f837a8391d044d76dfd8a0435",
		from: module{heic, "lib/heif.wasm.gz"},
		made: "libheif and libde265, compiled by lib/Makefile of the module",
	},
	{
		path: "embed/pixels/heif/LICENSE.libde265", digest: "02cc1585a20677992e0ba578fa692635dc193735f2691dc81de924b51c4e8020",
		from: module{heic, "lib/LICENSE.libde265"}, made: "copied",
	},
	{
		path: "embed/pixels/heif/LICENSE.libheif", digest: "b2eb4f6588b005bebac44cfb2dfd23f6a16c5ca9b8a619a315158b0215a917a3",
		from: module{heic, "lib/LICENSE.libheif"}, made: "copied",
	},
	{
		path: "embed/pixels/heif/LICENSE.heic", digest: "7ccd0e2f82eac9b87608576a9e559567f1ba049bebe709135eef3a9661bbc96e",
		from: module{heic, "LICENSE"}, made: "copied",
	},
	{
		path: "embed/pixels/avif/avif.wasm.gz", digest: "1ee2423413384d54b3fa4e2882424d60a2a05f5fe7ec573535fdb6b531071a9b",
		from: module{avif, "lib/decode.wasm.gz"},
		made: "libavif and libaom, compiled by lib/Makefile.decode of the module",
	},
	{
		path: "embed/pixels/avif/LICENSE.aom", digest: "4764a286d8b2faeaf42f4418e7d7a28d58fc8fd4d00a3d0a7f44b0a4099de7f2",
		from: module{avif, "lib/LICENSE.aom"}, made: "copied",
	},
	{
		path: "embed/pixels/avif/LICENSE.libavif", digest: "10952217a6d404de8bf8a997fbea9b88f682df1fe98cb9b9f467ade641525639",
		from: module{avif, "lib/LICENSE.libavif"}, made: "copied",
	},
	{
		path: "embed/pixels/avif/LICENSE.avif", digest: "7ccd0e2f82eac9b87608576a9e559567f1ba049bebe709135eef3a9661bbc96e",
		from: module{avif, "LICENSE"}, made: "copied",
	},
	{
		path: "embed/pixels/avif/LICENSE.libyuv", digest: "2b2cc1180c7e6988328ad2033b04b80117419db9c4c584918bbb3cfec7e9364f",
		made: "the licence of libyuv, which libavif contains; the module has no copy",
	},
	{
		path: "embed/pixels/jxl/jxl.wasm.gz", digest: "9ab633d753803618fb8984743f37507eed76eae740b928c9fee6a6aad7e6a19f",
		from: module{jpegxl, "lib/decode.wasm.gz"},
		made: "libjxl, compiled by lib/Makefile.decode of the module",
	},
	{
		path: "embed/pixels/jxl/LICENSE.libjxl", digest: "8405932022a556380c2d8c272eff154a923feb197233f348ce5f7334fb0a5ede",
		from: module{jpegxl, "lib/LICENSE.libjxl"}, made: "copied",
	},
	{
		path: "embed/pixels/jxl/LICENSE.jpegxl", digest: "7ccd0e2f82eac9b87608576a9e559567f1ba049bebe709135eef3a9661bbc96e",
		from: module{jpegxl, "LICENSE"}, made: "copied",
	},
	{
		path: "embed/pixels/jxl/LICENSE.highway", digest: "113507fb23295e5a22e3d64dfd312d62e9d6774c7a35281dfd2b794ae36b6689",
		made: "the licence of Highway, which libjxl contains; the module has no copy",
	},
	{
		path: "cmd/mekiki/testdata/axe/axe.min.js", digest: "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c",
		from: npm{"axe-core@4.14.1", "package/axe.min.js"}, made: "copied",
	},
	{
		path: "cmd/mekiki/testdata/axe/LICENSE", digest: "af175b9d96ee93c21a036152e1b905b0b95304d4ae8c2c921c7609100ba8df7e",
		from: npm{"axe-core@4.14.1", "package/LICENSE"}, made: "copied",
	},
	{
		path: "cmd/mekiki/testdata/axe/LICENSE-3RD-PARTY.txt", digest: "4f8563870d0fca38bbc3e00b6f670cb7fa9f380ba9f26a7f7d1184a6b18b1653",
		from: npm{"axe-core@4.14.1", "package/LICENSE-3RD-PARTY.txt"}, made: "copied",
	},
	{
		path: "embed/tokenize/wordpiece/bert.txt.gz", digest: "74100ea43c760b082d6dd19a07f78b259c38a2eabfa52ca52df0e4c4c0a018de",
		from: unzipped{address{"https://huggingface.co/google-bert/bert-base-uncased/resolve/main/vocab.txt"}},
		made: "vocab.txt of bert-base-uncased, compressed by train/fixtures/tokenizer_cases.py",
	},
	{
		path: "embed/builtin/model/model.safetensors", digest: "baa8eaa8977c413495e3fcbee0631d2ba356833b8f14210d8068d78077419fb8",
		made: "trained by train/ as its model card says; training takes hours and does not repeat to the bit",
	},
	{
		path: "embed/builtin/answers/model.safetensors", digest: "32acd2e3d436402ab2e1bcedc634fd4dfec01023033de34cfea907f36d2b5577",
		made: "trained by train/ as its model card says; training does not repeat to the bit",
	},
	{
		path: "embed/builtin/gallery/images/", digest: "f5ddde4886055eaadf5c5c16bb39b11d36ccf8dba1f598f2238e0fbea458a3d1",
		made: "drawn by train/gallery.py; the bytes depend on the versions of Pillow and of the emoji font",
	},
	{
		path: "embed/builtin/gallery/index.vectors", digest: "5f0d013335eb08b7659fd1fdd5dfa58d09dcebd5ba0e76c67fa48e2133019c2b",
		made: "by the built-in model in float32: go test ./index/ingest/prepared -run Gallery -update; differs by rounding between processors",
	},
	{
		path: "embed/checkpoint/testdata/",
		made: "written by train/fixtures/checkpoints.py and language_checkpoints.py; needs torch and transformers",
	},
	{
		path: "embed/pixels/testdata/resize/",
		made: "written by train/fixtures/pixels_resize.py; needs Pillow 13.0.0 and transformers",
	},
	{
		path: "embed/pixels/testdata/",
		made: "written by train/fixtures/pixels_files.py; needs Pillow and its codecs",
	},
	{
		path: "embed/tokenize/wordpiece/testdata/cases.json.gz",
		made: "written by train/fixtures/tokenizer_cases.py; needs transformers 5.23.0",
	},
	{
		path: "embed/tokenize/language/testdata/",
		made: "small vocabularies trained by train/fixtures/language_cases.py; needs tokenizers, sentencepiece and transformers 5.24.0",
	},
	{
		path: "embed/translate/testdata/",
		made: "small models drawn at random and trained on a few sentences by train/parity/marian.py; needs sentencepiece and transformers 5.24.0",
	},
	{
		path: "index/metadata/testdata/files/",
		made: "pictures without content, whose metadata was written by hand as in public reports of files that were misread (TestFiles)",
	},
	{
		path: "index/local/testdata/library-1/", digest: "c7d15171834d98f8433c42dcf3e0f3d15294f69c334c18a5ccec155ba55df012",
		made: "a library that the first version of the format wrote (TestOpensLibrariesOfOlderVersions); must never be written again",
	},
	{
		path: "docs/film.webp",
		made: "frames of the page that mekiki demo serves (TestFilm), joined by scripts/film; differs with fonts and versions",
	},
	{
		path: "docs/page.webp",
		made: "the page that mekiki demo serves, in Chromium; differs with fonts and versions",
	},
}

// The Go modules that the decoders of HEIC, AVIF and JPEG XL are from.
var (
	heic   = release{"github.com/gen2brain/heic", "v0.4.5", "h1:Cq3hPu6wwlTJNv2t48ro3oWje54h82Q5pALeCBNgaSk="}
	avif   = release{"github.com/gen2brain/avif", "v0.4.4", "h1:Ga/ss7qcWWQm2bxFpnjYjhJsNfZrWs5RsyklgFjKRSE="}
	jpegxl = release{"github.com/gen2brain/jpegxl", "v0.4.5", "h1:TWpVEn5xkIfsswzkjHBArd0Cc9AE0tbjBSoa0jDsrbo="}
)
