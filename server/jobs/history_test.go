package jobs

import "testing"

func FuzzHistory(f *testing.F) {
	f.Add(`{"version":1,"last":3,"jobs":[{"id":"3","kind":"index","state":"running","paths":["/a"],"created":"2024-05-01T00:00:00Z"}]}`)
	f.Add(`{"version":1,"last":3,"jobs":[],"resume":[{"kind":"captions","missing":true,"paths":["/a"]},{"kind":"compact"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		kept, err := decodeHistory([]byte(text))
		if err != nil {
			return
		}
		for _, asked := range kept.Resume {
			if asked.Kind != KindCaptions && asked.Kind != KindWords {
				t.Errorf("%s is taken up again", asked.Kind)
			}
		}
		m := &Manager{}
		m.recall(kept)
		m.recall(kept)
		if m.last < 0 || len(m.list) > maxKept {
			t.Errorf("%d jobs, the last %d", len(m.list), m.last)
		}
		for _, each := range m.All() {
			if !each.State.Finished() {
				t.Errorf("job %s is %s", each.ID, each.State)
			}
		}
	})
}
