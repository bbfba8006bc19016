package ocr

const (
	// longestSide is the most pixels of a picture's longer side that are read, shortestSide the fewest of its shorter one.
	longestSide  = 2000
	shortestSide = 30
	// detectedSide is how many pixels the shorter side has at least while lines are looked for; sides are multiples of sideStep.
	detectedSide = 736
	sideStep     = 32
	// mostDetected is how many pixels the longer side of a picture is made to have at most for the sake of the shorter one: a
	// column of 30 by 2,000 pixels would become one of 736 by 49,000, and take gigabytes.
	mostDetected = 8000
	// A picture that is wideRatio times wider than high, or at most lowHeight pixels high, is padded above and below.
	wideRatio = 8
	lowHeight = 30

	// pixelThreshold is from which score on a pixel belongs to a line, boxThreshold from which mean on a box is one.
	pixelThreshold = 0.3
	boxThreshold   = 0.5
	// unclip is by how much of its area by its perimeter a box grows, since the detector marks the heart of a line only.
	unclip = 1.6
	// mostBoxes bounds the lines of a picture.
	mostBoxes = 1000
	// leastSide is the fewest pixels of a box's shorter side, before and after it grows.
	leastSide      = 3
	leastGrownSide = 5
	// sameLine is how many pixels beginnings of boxes may differ in height to be read from left to right.
	sameLine = 10

	// lineHeight and lineWidth are the size of a line that is recognised, at least; turnedWidth that of one that is classified.
	lineHeight  = 48
	lineWidth   = 320
	turnedWidth = 192
	// longestLine bounds how many times longer than high a line is read.
	longestLine = 60
	// linesTogether is how many lines are read in one run.
	linesTogether = 6
	// tallLine is from how many times higher than wide on a line is turned by a quarter.
	tallLine = 1.5
	// turnedThreshold is how sure the classifier must be that a line stands on its head.
	turnedThreshold = 0.9
	// textThreshold is the least mean score of a line's characters.
	textThreshold = 0.5

	// mostCharacters and mostDictionaryBytes bound the dictionary.
	mostCharacters      = 1 << 17
	mostDictionaryBytes = 4 << 20
)
