// Package checkpoint reads the weights of a BLIP-2 retrieval model as its publishers distribute them and presents them
// in one form.
//
// Two families of files are understood:
//
//   - Hugging Face folders for Blip2ForImageTextRetrieval: config.json, preprocessor_config.json, vocab.txt and
//     safetensors (one file, or shards with model.safetensors.index.json) in F32, F16 or BF16, with the current and the
//     earlier tensor names.
//   - LAVIS .pth files: the whole COCO checkpoint; the stage-1 checkpoint together with the EVA ViT-g file; the ViT-L
//     pair, whose vision trunk comes from CLIP.
//
// Whatever the source, every tensor is offered under the current Hugging Face name. The tensors that only LAVIS files
// (and the built-in model) hold keep LAVIS's own tail: cls.predictions.transform.dense.{weight,bias},
// cls.predictions.transform.LayerNorm.{weight,bias}, cls.predictions.bias and temp.
//
// Files are hostile input; package weights reads those of tensors. Every tensor that the architecture needs is checked
// for presence and shape when the checkpoint is opened. Values are read one tensor at a time, so the
// memory needed is that of the largest tensor.
package checkpoint
