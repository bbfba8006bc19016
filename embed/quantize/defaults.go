package quantize

// Ways to choose a product: candidates in the order of their cost, of which the first
// that is good enough is taken, and limits. Only products that read a layer norm or an
// attention can be smoothed, and only where nothing else reads the same features.
var (
	plainPolicy = policy{[]candidate{{method: PerRun}, {method: PerRow}, {method: PerRow, centred: true},
		{method: PerBlock}}, levels}
	smoothPolicy = policy{[]candidate{{method: PerRun}, {method: PerRun, smoothing: 0.5}, {method: PerRun, smoothing: 0.75},
		{method: PerRow}, {method: PerRow, smoothing: 0.5}, {method: PerRow, centred: true}, {method: PerBlock}}, levels}
	// Graphs run texts of any length, padded and in batches: a scale for each row keeps
	// one text's result apart from its neighbours'.
	rowPolicy = policy{[]candidate{{method: PerRow}, {method: PerRow, centred: true}, {method: PerBlock}}, levels}
	// What a language model reads at every token has features of very different size, and
	// its cost is that of reading weights.
	blockPolicy  = policy{[]candidate{{method: PerWideBlock}, {method: PerBlock}}, levels}
	block4Policy = policy{[]candidate{{method: PerBlock4}, {method: PerBlock}}, levels4}
)

// lastLevel is the level at which products are in float32.
const lastLevel = 2

// levels are the limits on a product's error: those that all begin with, those of products that are narrowed, and float32.
// levels4 are those of products that may be stored in 4 bits, which lose about 0.09 of weights that are distributed
// normally, where 8 bits lose 0.006.
var (
	levels  = [lastLevel + 1]limits{{good: 0.02, acceptable: 0.05}, {good: 0.004, acceptable: 0.008}, {}}
	levels4 = [lastLevel + 1]limits{{good: 0.15, acceptable: 0.3}, {good: 0.02, acceptable: 0.05}, {}}
)

// rounds say what is narrowed, one round after another, in a part that loses too much: which share of the products that are
// not at this level yet, those of the largest errors first.
var rounds = []struct {
	share float64
	level int
}{{0.25, 1}, {0.5, 1}, {1, 1}, {0.25, 2}, {0.5, 2}, {1, 2}}

// languageSamples is how many samples the choice looks at in language models, where a sample has few positions.
const languageSamples = 3

// choosingSamples is how many of the samples the choice looks at; the check looks at all.
const choosingSamples = 2

// productsAtOnce is how many of the graphs' products are looked at together: what they read and gave is in memory, for the
// others it is computed again.
const productsAtOnce = 16

// recentValues bounds what recent keeps: a layer of the largest published
// encoder, 25,245,440 weights, fits.
const recentValues = 26 << 20

// blockSize is the number of input features that share a scale in PerBlock and PerBlock4, and wideBlockSize in PerWideBlock.
const (
	blockSize     = 32
	wideBlockSize = 128
)
