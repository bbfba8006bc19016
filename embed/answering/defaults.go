package answering

const (
	// answerRows is how many texts are written side by side at most, of all prompts together: a step reads every weight
	// once, however many rows it has.
	answerRows = 32
	// answerBytes is the memory of keys and values up to which prompts are put together, and mostAnswerBytes is the most
	// that one prompt may need.
	answerBytes     = 512 << 20
	mostAnswerBytes = 4 << 30
	// mostPromptBytes and mostPromptPositions bound a prompt before memory is asked for; the scores of all positions
	// against each other grow with the square.
	mostPromptBytes     = 64 << 10
	mostPromptPositions = 2048
	// mostContinuations and mostContinuationTokens bound what Score compares.
	mostContinuations      = 4096
	mostContinuationTokens = 512
)
