package manifest

// Files of a model folder.
const (
	FileName         = "model.json"
	VocabularyFile   = "vocab.txt"
	VisionFile       = "vision.onnx"        // pixels to image tokens
	ImagePartsFile   = "image_parts.onnx"   // image tokens to unit vectors
	TextFile         = "text.onnx"          // token ids to a unit vector
	MatchFile        = "match.onnx"         // image tokens and token ids to matching logits
	MatchImageFile   = "match_image.onnx"   // image tokens to what matching reads of an image
	MatchTextFile    = "match_text.onnx"    // the rest of matching, for one image and many texts
	MatchMapFile     = "match_map.onnx"     // MatchTextFile with more outputs; derived from it and never on disk
	CaptionStartFile = "caption_start.onnx" // image tokens to keys and values
	CaptionStepFile  = "caption_step.onnx"  // token ids, keys and values to next-token logits

	// Of a second stage.
	ImageStatesFile    = "image_states.onnx"    // image tokens to what the language model reads of an image, before the projection
	LanguageInputFile  = "language_input.onnx"  // image states to embeddings of the language model: the projection
	LanguageEncodeFile = "language_encode.onnx" // T5: embeddings to the keys and values that the decoder reads
	LanguageStepFile   = "language_step.onnx"   // embeddings, keys and values to next-token logits
	EmbeddingsFile     = "embeddings.bin"       // the token embedding [V H], row after row: float16 where that is exact, as the file's size tells, else float32
)

// Names of the graphs' inputs and outputs. The keys and values of layer i
// carry the layer's number after the prefix, as in past_key_0.
const (
	PixelsName         = "pixels"         // float32 [B 3 S S]
	ImageTokensName    = "image_tokens"   // float32 [B N D]
	PartsName          = "parts"          // float32 [B Q W], unit rows
	TokenIDsName       = "token_ids"      // int64 [B T]
	AttentionMaskName  = "attention_mask" // int64 [B T], 1 for a token, 0 for padding
	TextVectorName     = "text_vector"    // float32 [B W], unit rows
	LogitsName         = "logits"         // float32 [B 2] or [B T V]
	MemoryPrefix       = "memory_"        // float32 [1 N 2H], keys and values of a layer that looks at the image
	MapQueriesName     = "map_queries"    // float32 [1 B*Q H], what the queries ask of the image in the last layer that looks at it
	MapLogitsName      = "map_logits"     // float32 [B Q 2], matching logits of each query
	PositionName       = "position"       // int64 [T], counted from 0 at the first text token
	PastKeyPrefix      = "past_key_"      // float32 [B H P d]
	PastValuePrefix    = "past_value_"    // float32 [B H P d]
	PresentKeyPrefix   = "present_key_"   // float32 [B H P+T d]
	PresentValuePrefix = "present_value_" // float32 [B H P+T d]

	// Of a second stage. Its past and present are one buffer [B G C d] of the capacity C, of which the first P rows, then
	// P+T are in use. Runs from the beginning (P = 0) and of one position (T = 1) take rows of several lengths, padded on
	// the right; others take one row. Positions come from the lengths.
	ImageStatesName    = "image_states"   // float32 [B Q H]
	EmbeddingsName     = "embeddings"     // float32 [B T H]
	LastPositionName   = "last_position"  // int32 [B], P+T-1 of each row
	TotalLengthName    = "total_length"   // int32 [1], P+T of the longest row
	BucketsName        = "buckets"        // int64 [T P+T], T5's buckets of relative positions
	EncodedKeyPrefix   = "encoded_key_"   // float32 [E H S d], of T5's encoder, for each layer of the decoder: each serves B/E rows
	EncodedValuePrefix = "encoded_value_" // float32 [E H S d]
)
