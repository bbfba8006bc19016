// Package captionscore measures captions against those of people, by the definitions of the COCO caption evaluation
// (Chen et al., arXiv 1504.00325): BLEU (Papineni et al.) over a whole set, and CIDEr-D (Vedantam et al., arXiv 1411.5726).
//
//	set := []captionscore.Entry{{Caption: "a cat on a sofa", References: []string{"a cat lies on a couch", …}}, …}
//	scores, err := captionscore.Measure(set)
//
// Words are told apart as there, by the rules of the Penn Treebank, in lower case and without punctuation; see [Words].
package captionscore
