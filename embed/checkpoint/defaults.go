package checkpoint

// maximumSideFile bounds the small files that lie beside the weights.
const maximumSideFile = 16 << 20

// What a checkpoint has that does not say.
const (
	defaultQueryTokens    = 32
	defaultProjectionSize = 256
	// defaultProcessorSize is BlipImageProcessor's own size, which applies when preprocessor_config.json names none.
	defaultProcessorSize = 384
)

// mostPadding is how many rows beyond its tokens the embedding of a published language model has at most.
const mostPadding = 128
