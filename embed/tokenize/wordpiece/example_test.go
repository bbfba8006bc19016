package wordpiece_test

import (
	"fmt"
	"log"

	"mekiki/embed/tokenize"
	"mekiki/embed/tokenize/wordpiece"
)

func ExampleTokenizer() {
	vocabulary, err := wordpiece.BERTVocabulary()
	if err != nil {
		log.Fatal(err)
	}
	var tokenizer tokenize.Tokenizer
	if tokenizer, err = wordpiece.New(vocabulary); err != nil {
		log.Fatal(err)
	}
	cats := tokenizer.Encode("Two cats, asleep.", 0)
	fmt.Println(cats.IDs, tokenizer.Decode(cats.IDs))
	short := tokenizer.Encode("Two cats, asleep.", 4)
	fmt.Println(tokenizer.Decode(short.IDs), short.Truncated, short.Dropped)
	fmt.Println(tokenizer.Encode("象", 0).Unread)
	// Output:
	// [101 2048 8870 1010 6680 1012 102] two cats, asleep.
	// two cats true 3
	// true
}
