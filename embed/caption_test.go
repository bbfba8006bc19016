package embed_test

import (
	"math"
	"strings"
	"testing"

	"mekiki/embed"
)

func TestCaptionOptionsAreChecked(t *testing.T) {
	for _, options := range []embed.CaptionOptions{
		{Method: "best"}, {Count: 2}, {Count: -1}, {Method: embed.Beam, Beams: 65}, {Method: embed.Beam, Beams: 2, Count: 3}, {Method: embed.Beam, Beams: -1},
		{MaximumLength: 1}, {MaximumLength: 513}, {MinimumLength: 31}, {MinimumLength: -1}, {TopP: 1.5}, {TopP: -1}, {TopP: math.NaN()},
		{RepetitionPenalty: 0.5}, {RepetitionPenalty: math.NaN()}, {NoRepeat: -1}, {LengthPenalty: 11}, {LengthPenalty: math.NaN()},
	} {
		if options.Validate() == nil {
			t.Errorf("%+v was accepted", options)
		}
	}
	for _, options := range []embed.CaptionOptions{
		{}, {Method: embed.Beam, Count: 5}, {Method: embed.Nucleus, Count: 10}, {MinimumLength: 10, MaximumLength: 30}, {LengthPenalty: -1},
	} {
		if err := options.Validate(); err != nil {
			t.Errorf("%+v: %v", options, err)
		}
	}
	err := embed.CaptionOptions{Method: "best", MaximumLength: 1, TopP: 2}.Validate()
	for _, part := range []string{"best", "maximum length", "top p"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not mention the %s", err, part)
		}
	}
}
