package libraryverbs

import (
	"errors"
	"strconv"
	"strings"

	"mekiki/index/ingest/captioning"
)

// captionChoice is --captions: how many captions are kept, and who writes them.
type captionChoice struct {
	count  int
	source captioning.Source
}

// Set implements [pflag.Value].
func (c *captionChoice) Set(text string) error {
	choice := captionChoice{count: 1}
	for _, part := range strings.Split(text, ",") {
		part = strings.TrimSpace(part)
		switch source := captioning.Source(part); source {
		case captioning.ITG, captioning.LM, captioning.Both:
			choice.source = source
			continue
		}
		count, err := strconv.Atoi(part)
		if err != nil || count < 0 {
			return errors.New("give a number, 0 for none, and itg, lm or both")
		}
		choice.count = count
	}
	*c = choice
	return nil
}

// String implements [pflag.Value].
func (c *captionChoice) String() string {
	if c.source == "" {
		return strconv.Itoa(c.count)
	}
	return string(c.source) + "," + strconv.Itoa(c.count)
}

// Type implements [pflag.Value].
func (c *captionChoice) Type() string { return "captions" }
