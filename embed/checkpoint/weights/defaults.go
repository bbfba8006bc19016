package weights

const (
	// maximumPickle bounds the pickle of a checkpoint, which holds names and shapes but no values; with the state of an
	// optimiser it takes about a megabyte.
	maximumPickle = 16 << 20
	// maximumOperations bounds what a pickle can make us do and keep.
	maximumOperations = 1 << 20
	// maximumStack bounds the stack of values and of marks.
	maximumStack = 1 << 18
)

// maximumHeader bounds the JSON header of a safetensors file. That of ViT-g takes about 100 kB.
const maximumHeader = 16 << 20

// How tensors are read.
const (
	maximumDimensions = 8
	// chunkBytes is how much of a tensor is read at a time; a multiple of every element size.
	chunkBytes = 1 << 20
)

const (
	// directoryBudget bounds what may be read of a zip file's directory: room for more than 100,000 storages.
	directoryBudget = 16 << 20
	// maximumStorages bounds the storages of a file in torch's earlier format.
	maximumStorages = 1 << 17
)
