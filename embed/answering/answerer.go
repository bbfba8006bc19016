package answering

import (
	"context"

	"mekiki/embed"
	"mekiki/embed/decode"
	"mekiki/embed/modelconfig"
)

// ImageStates is what the Q-Former of a second stage makes of one image for its language model: a row for each learned
// query, before the projection. They depend on the image alone, so that they can be kept (see Pack); of a model whose
// Q-Former reads the prompt (InstructBLIP) they are the image tokens.
type ImageStates = embed.ImageTokens

// Model is what a second stage says of itself.
type Model struct {
	Name string
	// Fingerprint identifies the model: answers of one fingerprint may be kept together.
	Fingerprint string
	// Vision is the vision encoder whose image tokens States reads; see Engine.Vision.
	Vision embed.Vision
	// OwnVision is set where the model's folder holds a vision encoder, so that ImageTokens works.
	OwnVision bool
	// Prompts are the model's texts for its tasks.
	Prompts modelconfig.Prompts
}

// Prompt is a text about an image, to be gone on with.
type Prompt struct {
	// States are the image's; none for a text that no image comes before.
	States ImageStates
	// Text is all that comes before what is to be written.
	Text string
}

// Generated is what a language model wrote.
type Generated struct {
	Text string
	// LogProbability is the natural logarithm of the text's probability, the sum over its tokens.
	LogProbability float32
	// Tokens were written, the ending one counted where there is one.
	Tokens int
	// Ended says that the model ended the text, and not the limit of its length.
	Ended bool
}

// Answerer is BLIP-2's second stage: a language model that goes on with texts about images.
type Answerer interface {
	// Model says which model it is.
	AnswerModel() Model
	// States makes of image tokens what the language model reads, in their order.
	States(ctx context.Context, tokens []embed.ImageTokens) ([]ImageStates, error)
	// Generate goes on with each prompt. Result i belongs to prompts[i] and has up to options.Count texts, the likeliest
	// first. Written, unless it is nil, is called with each piece of text as soon as it is final, in order for each prompt
	// and from one goroutine; it takes Greedy or Nucleus with a Count of 1. Where it fails, so does Generate.
	Generate(ctx context.Context, prompts []Prompt, options decode.Options, written func(prompt int, piece string) error) ([][]Generated, error)
	// Score gives the log-probability of each continuation of a prompt, its end included: what the model would say of a few
	// possible answers.
	Score(ctx context.Context, prompt Prompt, continuations []string) ([]float32, error)
}
