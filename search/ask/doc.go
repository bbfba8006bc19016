// Package ask puts questions to the pictures of a library, by a second stage: a language
// model behind the Q-Former.
//
//	asker, err := ask.New(answerer, engine, ask.Options{})
//	outcome, err := asker.Ask(ctx, reader, ids, ask.Question{Text: "are they asleep?"}, func(a ask.Answer) error {
//		fmt.Println(a.ID, a.Text, a.Probability)
//		return nil
//	})
//
// What the language model reads of a picture comes from memory, from the image tokens that the library
// keeps (where both stages have one vision encoder), or else from the original file. Answers are kept by
// picture, prompt and model, and questions that go on side by side share their work.
package ask
