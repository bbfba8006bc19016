package embed

// Sizes of batches, by measurement (processor time at the published Q-Former's width): 8 texts together take half of what
// they take one by one, since they share reading the weights; pairs for matching take a tenth less, and a small batch can
// be stopped sooner. Images gain nothing.
const (
	textBatch  = 16
	matchBatch = 4
)
