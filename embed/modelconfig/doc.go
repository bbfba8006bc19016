// Package modelconfig says what a model consists of: the sizes of its vision encoder, its Q-Former and its language
// model, how pixels are prepared for it, and the texts that it was trained to go on with. Checkpoints are read into a
// [Config], compiled models carry one in their manifest, and graphs are written from it.
package modelconfig
