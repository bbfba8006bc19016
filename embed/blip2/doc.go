// Package blip2 describes the BLIP-2 architecture once, for any sizes, and
// compiles a checkpoint of it into a model: a folder of ONNX graphs, their
// weights, the vocabulary and a manifest (model.json).
//
// The parts are a vision encoder (EVA ViT-g or CLIP ViT-L in the published
// models), the Q-Former with its learned queries, image transformer and text
// transformer, two projections into the shared space, a matching head and,
// where the checkpoint has one, a language-model head. The Q-Former reads with
// three masks: image-text contrast (queries alone, or text alone), image-text
// matching (queries and text see each other) and image-grounded generation
// (text sees the queries and the text before it). From these come the graphs
// named in this package's constants; the ones that read image tokens share
// the weights of one data file.
//
// The mathematics follows the BLIP-2 paper (arXiv 2301.12597) as implemented
// in Hugging Face transformers' Blip2ForImageTextRetrieval and, for the
// language-model head, in LAVIS's Blip2Qformer.
package blip2
