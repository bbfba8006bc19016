package translation

import (
	"slices"
	"testing"
)

func TestDetect(t *testing.T) {
	for text, want := range map[string][]string{
		"two dogs on a beach": nil, "sunset": nil, "": nil, "12 345": nil, "🐈": nil, "New York skyline": nil, "cat": nil,
		"浜辺にいる二匹の犬": {"ja"}, "ネコ": {"ja"}, "海滩上的狗": {"zh", "ja"}, "猫": {"zh", "ja"}, "해변의 개": {"ko"},
		"две собаки на пляже": {"ru", "bg", "sr"}, "two 犬": {"zh", "ja"}, "σκύλος": {"el"}, "дві собаки їдять": {"uk", "", ""}, "كلبان على الشاطئ": {"ar", "", ""}, "سگ و گربه": {"fa", "", ""},
		"eine Katze und ein Hund": {"de"}, "deux chiens sur une plage": {"fr"},
	} {
		got := Detect(text)
		if len(want) > 2 {
			got, want = got[:1], want[:1]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
