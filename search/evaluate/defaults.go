package evaluate

// How an evaluation library is built.
const (
	buildBatch          = 32
	maximumPictureBytes = 256 << 20
)

// How captions are measured: how many pictures at a time, and how many examples a report shows.
const (
	captionBatch    = 8
	captionExamples = 10
)

// The pictures of a self-calibration where its options say nothing, and the least number in
// either half that is worth a fit.
const (
	selfSample   = 400
	leastSelfFit = 20
)

// How answers are measured: how many questions at a time, and how many wrong answers a report shows.
const (
	vqaBatch     = 16
	maximumWrong = 20
)
