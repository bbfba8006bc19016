package translation

const (
	// keptTranslators is how many translators are open at a time: each holds some 100 MB.
	keptTranslators = 2
	// keptTexts is how many translations are remembered.
	keptTexts = 4096
	// mostOpenings is how often a translator is opened for one request.
	mostOpenings = 4
)
