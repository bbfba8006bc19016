package language_test

import (
	"fmt"
	"io/fs"
	"log"

	"mekiki/embed/tokenize/language"
)

func ExampleOpen() {
	files := map[string]string{
		"vocab.json": `{"</s>": 0, "a": 1, "c": 2, "t": 3, "Ġ": 4, "at": 5, "cat": 6, "Ġcat": 7}`,
		"merges.txt": "#version: 0.2\na t\nc at\nĠ cat\n",
		"tokenizer_config.json": `{"tokenizer_class": "GPT2Tokenizer", "add_bos_token": true,
			"bos_token": "</s>", "eos_token": "</s>", "unk_token": "</s>"}`,
	}
	tokenizer, err := language.Open(func(name string) ([]byte, error) {
		if content, ok := files[name]; ok {
			return []byte(content), nil
		}
		return nil, fs.ErrNotExist
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tokenizer.Encode("a cat", 0).IDs, tokenizer.EncodeContinuation(" cat"))
	stream := tokenizer.Stream()
	for _, id := range tokenizer.EncodeContinuation("a cat") {
		fmt.Printf("%q ", stream.Next(id))
	}
	fmt.Printf("%q\n", stream.End())
	// Output:
	// [0 1 7] [7]
	// "a" " cat" ""
}
