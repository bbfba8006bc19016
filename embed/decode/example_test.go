package decode_test

import (
	"context"
	"fmt"
	"math"

	"mekiki/embed/decode"
)

// words of a tiny language: an ending token, and three words.
var words = []string{"", "two", "red", "cubes"}

// chain is a language model that knows how likely each word follows the one before.
type chain struct{ last []int64 }

var follows = map[int64][]float64{ // the end, two, red, cubes
	1: {0.05, 0.05, 0.5, 0.4},
	2: {0.1, 0.1, 0.3, 0.5},
	3: {0.8, 0.1, 0.05, 0.05},
}

func (c *chain) Gather(_ context.Context, parents []int) error {
	rows := make([]int64, len(parents))
	for row, parent := range parents {
		rows[row] = c.last[parent]
	}
	c.last = rows
	return nil
}

func (c *chain) Step(_ context.Context, tokens []int64) ([]float32, error) {
	c.last = tokens
	return c.logits(), nil
}

func (c *chain) logits() []float32 {
	var logits []float32
	for _, token := range c.last {
		for _, probability := range follows[token] {
			logits = append(logits, float32(math.Log(probability)))
		}
	}
	return logits
}

// The loop asks a model for the logits after each row's last token and keeps the best rows.
func ExampleSearch_Run() {
	model := &chain{last: []int64{1}} // after "two"
	search := decode.Search{Vocabulary: len(words), End: []int64{0}}
	found, err := search.Run(context.Background(), model, model.logits(), decode.Options{Method: decode.Beam, Beams: 2, Count: 2, MaximumTokens: 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range found[0] {
		fmt.Print("two")
		for _, token := range text.Tokens {
			fmt.Print(" ", words[token])
		}
		fmt.Printf("(probability %.2f)\n", math.Exp(text.LogProbability))
	}
	// Output:
	// two red cubes (probability 0.20)
	// two cubes (probability 0.32)
}
