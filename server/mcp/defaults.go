package mcp

import "time"

// What one call may ask for. A model reads every hit, so that the bounds are lower than those of the HTTP API.
const (
	defaultHits     = 10
	maximumHits     = 50
	defaultTexts    = 10
	maximumTexts    = 50
	maximumLabels   = 100
	defaultValues   = 30
	maximumValues   = 200
	maximumChanged  = 500
	maximumSkipped  = 10_000
	maximumWords    = 2_000 // characters of a text that is searched with, asked or compared
	maximumTags     = 20
	maximumTagRunes = 200
	maximumLines    = 200 // lines of words in one image
)

// Pictures that are shown to a model: how many a call gives, their longest side in pixels, and the quality of the JPEG.
const (
	MaximumPictures = 8
	MaximumSide     = 512
	minimumSide     = 64
	pictureQuality  = 82
)

// lookTime bounds how long pictures are read for one call.
const lookTime = 30 * time.Second

// keptMessage is how many bytes a message on standard input may have.
const keptMessage = 4 << 20
