package checkpoint

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math"
	"strings"

	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/modelconfig"
)

// Random is a checkpoint of random weights, the same for the same seed on
// every machine. Its speed is that of a trained model of the same sizes; its
// results mean nothing. It is safe for concurrent use.
//
// The values come from a SplitMix64 stream seeded by the FNV-1a hash of the
// tensor's name, xor the seed; train/parity/weights.py computes the same.
type Random struct {
	config modelconfig.Config
	shapes map[string][]int
	seed   uint64
	files  map[string][]byte
}

// NewRandom makes random weights for these sizes, those of a second stage if
// they have a language model, otherwise those of a first stage with a
// language-model head if captions is set.
func NewRandom(config modelconfig.Config, seed uint64, captions bool) (*Random, error) {
	if err := config.ValidateSizes(); err != nil {
		return nil, fmt.Errorf("random weights: %w", err)
	}
	return &Random{config: config, shapes: tensors.Shapes(config, captions), seed: seed}, nil
}

// AddTensor adds a tensor that not all models of these sizes have, such as a decoder of the caption head's own.
func (r *Random) AddTensor(name string, shape ...int) { r.shapes[name] = shape }

// AddFile adds a small file beside the weights, such as a tokenizer.
func (r *Random) AddFile(name string, content []byte) {
	if r.files == nil {
		r.files = map[string][]byte{}
	}
	r.files[name] = content
}

// Config is the sizes that the weights were made for.
func (r *Random) Config() modelconfig.Config { return r.config }

// Has reports whether there is a tensor of this name.
func (r *Random) Has(name string) bool {
	_, ok := r.shapes[name]
	return ok
}

// Shape is the shape of the tensor of this name.
func (r *Random) Shape(name string) ([]int, bool) {
	shape, ok := r.shapes[name]
	return shape, ok
}

// Float32 computes the values of the tensor of this name.
func (r *Random) Float32(ctx context.Context, name string) ([]float32, error) {
	shape, ok := r.shapes[name]
	if !ok {
		return nil, fmt.Errorf("random weights: %s: %w", name, ErrNotFound)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return RandomTensor(name, r.seed, shape...), nil
}

// RandomTensor is the values of a tensor of random weights, in the range of its role.
func RandomTensor(name string, seed uint64, shape ...int) []float32 {
	count, input := 1, 1
	for i, size := range shape {
		count *= size
		if i > 0 {
			input *= size
		}
	}
	values := RandomValues(name, seed, count)
	offset, factor := randomRange(name, input)
	for i := range values {
		values[i] = float32(values[i]*factor) + offset
	}
	return values
}

// randomRange says where the values of a tensor lie: offset ± factor. The
// conditions are those of train/parity/weights.py.
func randomRange(name string, input int) (offset, factor float32) {
	head, tail := name, name
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		head, tail = name[:dot], name[dot+1:]
	}
	switch {
	case tail == "bias" && head != name:
		return 0, 0.125
	case strings.Contains(strings.ToLower(head), "norm"):
		return 1, 0.25
	case strings.HasSuffix(name, "_embeddings.weight"), strings.Contains(tail, "embedding"), name == "query_tokens":
		return 0, 0.5
	}
	return 0, float32(1.75 / math.Sqrt(float64(input)))
}

// Vocabulary is a vocabulary of the right size with BERT's special tokens,
// as far as there is room for them; none where the Q-Former reads no text.
func (r *Random) Vocabulary() ([]byte, bool) {
	if !r.config.QFormerReadsText() {
		return nil, false
	}
	size := r.config.QFormer.VocabularySize
	words := make([]string, size)
	for i := range words {
		words[i] = fmt.Sprintf("word%d", i)
	}
	special := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
	if size > 2*len(special) {
		copy(words, special)
		words[size-1] = "[DEC]"
	}
	return []byte(strings.Join(words, "\n") + "\n"), true
}

// ReadFile finds the files that were added, and nothing else.
func (r *Random) ReadFile(name string) ([]byte, error) {
	if content, ok := r.files[name]; ok {
		return bytes.Clone(content), nil
	}
	return nil, fmt.Errorf("random weights: %s: %w", name, fs.ErrNotExist)
}

// RandomBits is the first count numbers of the SplitMix64 stream of this name
// and seed.
func RandomBits(name string, seed uint64, count int) []uint64 {
	next := splitMix(name, seed)
	bits := make([]uint64, count)
	for i := range bits {
		bits[i] = next()
	}
	return bits
}

// RandomValues is count floats in [-1, 1), multiples of 2^-23, from the
// stream of this name and seed.
func RandomValues(name string, seed uint64, count int) []float32 {
	next := splitMix(name, seed)
	values := make([]float32, count)
	for i := range values {
		values[i] = float32(next()>>40)*0x1p-23 - 1
	}
	return values
}

// splitMix gives the numbers of a SplitMix64 stream.
func splitMix(name string, seed uint64) func() uint64 {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(name)) // never fails
	state := hash.Sum64() ^ seed
	return func() uint64 {
		state += 0x9E3779B97F4A7C15
		z := state
		z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
		z = (z ^ (z >> 27)) * 0x94D049BB133111EB
		return z ^ (z >> 31)
	}
}
