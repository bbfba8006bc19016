// Package datasets reads annotated pictures: captions in Karpathy's layout (COCO, Flickr30k) and LAVIS's, questions with
// answers in the layouts of VQAv2, OK-VQA and GQA, and the query sets and truths of the built-in gallery.
package datasets
