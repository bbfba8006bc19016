package evaluate

import (
	"testing"

	"mekiki/search/contract"
)

// TestFiltersTogether asks a real library with several filters at once.
func TestFiltersTogether(t *testing.T) {
	source := colourSource(t)
	searcher := colourSearcher(t, source)
	camera := pick(madeUpCameras(), "camera", source.Dataset.Images[2].Path)
	for text, want := range map[string]int{
		"blue type:png": 1, "blue type:jpeg": 0, `blue type:png type:jpeg kind:image folder:images`: 1,
		`blue camera:"` + camera + `" type:png after:1969 before:1980`: 1, "blue tag:x type:png": 0, "blue near:1,2,3 type:png": 0,
		`"blue square" type:png folder:images`: 1, "blue -red type:png": 1,
	} {
		response, err := searcher.Search(t.Context(), contract.Request{Text: text})
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if response.Total != want {
			t.Errorf("%s: %d hits, want %d", text, response.Total, want)
		}
	}
}
