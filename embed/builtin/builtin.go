// Package builtin holds what makes the first minute work without a download: a small BLIP-2 checkpoint that this
// project trained, and a gallery of held-out drawings to search.
//
// The checkpoint is a Hugging Face folder like any other and is imported through the ordinary path; nothing else in
// the module treats it specially. It knows the world that train/ draws, and not photographs. LICENSES.md beside this
// file says where fonts, words and initial weights come from.
package builtin

import (
	stdembed "embed"
	"io/fs"
)

//go:embed model/*.json model/model.safetensors model/vocab.txt model/README.md
var model stdembed.FS

//go:embed answers
var answers stdembed.FS

//go:embed gallery/questions.json gallery/annotations.json gallery/truth.json gallery/texts.txt gallery/index.json gallery/index.vectors gallery/images/*.webp gallery/queries/*.json
var gallery stdembed.FS

// Checkpoint returns the small BLIP-2 as a Hugging Face folder: config.json, preprocessor_config.json, vocab.txt,
// tokenizer_config.json, model.safetensors (float16), README.md (the model card) and calibration.json. It is
// read-only and safe for concurrent use.
func Checkpoint() fs.FS {
	return folder(model, "model")
}

// Answers returns the second stage behind Checkpoint as a Hugging Face folder (Blip2ForConditionalGeneration): its own
// Q-Former and a small language model. The vision encoder is Checkpoint's and is not there again. It is read-only and
// safe for concurrent use.
func Answers() fs.FS {
	return folder(answers, "answers")
}

// Gallery returns the held-out drawings: images/*.webp (256 pixels a side), annotations.json (Karpathy's layout, five
// captions an image, half of the images in split "val" and half in "test"), truth.json (what each image holds),
// texts.txt (one sentence a line, for lookup), questions.json (questions about the images, in VQA's layout) and queries/*.json (free phrasing, near misses, names, and queries that
// nothing answers), and index.json with index.vectors: what the checkpoint makes of the images and texts, as package
// index/ingest/prepared reads it. It is read-only and safe for concurrent use.
func Gallery() fs.FS {
	return folder(gallery, "gallery")
}

// folder returns the named folder of files. The folders are fixed when the package is compiled, so a missing one
// cannot be met at run time.
func folder(files stdembed.FS, name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		return files
	}
	return sub
}
