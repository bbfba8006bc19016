package modelconfig

// Architectures of language models.
const (
	OPT    = "opt"
	T5     = "t5"
	Llama  = "llama"
	Marian = "marian" // of translation models
)

// Language describes a language model: of a second stage, which reads what the Q-Former makes of an image, or one that
// translates. Where an architecture has no such size, it is 0.
type Language struct {
	// Architecture is OPT, T5, Llama or Marian.
	Architecture string
	// HiddenSize is the width of the model and of its token embeddings.
	HiddenSize int
	// Layers is the number of layers, of T5 and Marian their encoder's; DecoderLayers that of their decoder.
	Layers        int
	DecoderLayers int `json:",omitempty"`
	// Heads attend in each layer; KeyValueHeads are those with keys and values of their own, which divide Heads.
	Heads         int
	KeyValueHeads int
	// HeadWidth is the width of one head: not always HiddenSize/Heads.
	HeadWidth        int
	IntermediateSize int
	// DecoderIntermediateSize is that of Marian's decoder.
	DecoderIntermediateSize int `json:",omitempty"`
	// VocabularySize is the number of rows of the embedding.
	VocabularySize int
	// Positions is the longest sequence, the image's vectors counted: of OPT the rows of its position table less the two
	// that it skips; 0 where positions are relative.
	Positions int `json:",omitempty"`
	// Activation is that of the feed-forward blocks: "relu", "gelu" (erf), "gelu_new" (tanh) or "silu".
	Activation string
	// Gated is set where a second product gates the activation.
	Gated       bool `json:",omitempty"`
	NormEpsilon float64
	// RotaryTheta is the base of Llama's rotary positions.
	RotaryTheta float64 `json:",omitempty"`
	// RelativeBuckets and RelativeDistance are T5's.
	RelativeBuckets  int `json:",omitempty"`
	RelativeDistance int `json:",omitempty"`
	// Tied is set where the head is the token embedding.
	Tied bool `json:",omitempty"`
	// ScaleOutput is set where the decoder's output is multiplied by HiddenSize^-0.5 before the head (T5 with a tied head).
	ScaleOutput bool `json:",omitempty"`
	// ScaleInput is set where embeddings are multiplied by HiddenSize^0.5 (Marian).
	ScaleInput bool `json:",omitempty"`
	// End lists the tokens that end a text; Start is what the decoder of a model with an encoder
	// starts with.
	End   []int64
	Start int64
	// Words is how many tokens of the vocabulary may be written: those from this id on are placeholders.
	Words int
	// Instructed is set where the Q-Former reads the prompt (InstructBLIP): what it makes of an image then depends on it.
	Instructed bool `json:",omitempty"`
	// From and To are the languages that it translates from and into, as BCP 47 tags; empty of models that do not.
	From string `json:",omitempty"`
	To   string `json:",omitempty"`
	// Beams is how many texts its publisher lets it write side by side; 0 where nothing is said.
	Beams int `json:",omitempty"`
	// Prompts are the model's texts for its tasks.
	Prompts Prompts
}

// Prompts are the texts before what a language model writes, by task. "{}" stands for the question, or for the
// question and the answer of an earlier turn.
type Prompts struct {
	// Caption comes before a caption; it may be empty.
	Caption string
	// Question asks for a short answer.
	Question string
	// Dialogue asks the last question of a dialogue; Turn is an earlier question with its answer, "{}" standing for both
	// in this order. Turns are joined by spaces.
	Dialogue, Turn string
}
