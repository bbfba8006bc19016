package wire

import (
	"encoding/json"
	"testing"
	"time"
)

// TestTimesThatJSONCannotSay: a file's time can be of any year, and JSON's cannot.
func TestTimesThatJSONCannotSay(t *testing.T) {
	for _, moment := range []time.Time{{}, time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(1<<50, 0)} {
		if got := Time(moment); got != nil {
			_, err := json.Marshal(got)
			t.Errorf("%v is sent as %v: %v", moment, got, err)
		}
	}
	if got := Time(time.Date(2024, 5, 1, 2, 0, 0, 0, time.FixedZone("", 2*3600))); got == nil || got.Format(time.RFC3339) != "2024-05-01T00:00:00Z" {
		t.Errorf("%v", got)
	}
}
