package sorted

import (
	"fmt"
	"testing"
)

func TestAll(t *testing.T) {
	for range 20 {
		text := ""
		for key, value := range All(map[string]int{"c": 3, "a": 1, "d": 4, "b": 2}) {
			if text += fmt.Sprint(key, value, " "); key == "c" {
				break
			}
		}
		if text != "a1 b2 c3 " {
			t.Fatal(text)
		}
	}
}
