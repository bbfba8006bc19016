// Package prepared keeps what a model made of a collection that a program brings along, so that the program need not run
// the model over it again: dimensions, captions and vectors of pictures by the hash of their file, and vectors of texts.
//
// A collection belongs to a checkpoint and not to a compiled model: compiled models of one checkpoint differ by rounding,
// and what is kept here is rounded itself, to a byte for each element of a vector.
//
//	collection, err := prepared.Read(files)       // index.json and index.vectors
//	if collection.Checkpoint == model.Checkpoint { // else it is of another one
//	    options.Prepared = collection.Puts(space)
//	}
package prepared
