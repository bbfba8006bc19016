package datasets

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseAnnotations(t *testing.T) {
	tests := map[string]struct {
		text string
		want []Image
	}{
		"COCO": {
			`{"dataset":"coco","images":[{"filepath":"val2014","filename":"a.jpg","split":"test","sentids":[1],"sentences":[{"raw":" A cat.\n","tokens":["a","cat"]},{"tokens":["two","cats"]}]}]}`,
			[]Image{{"val2014/a.jpg", "test", []string{"A cat.", "two cats"}}},
		},
		"Flickr": {
			`{"dataset":"flickr30k","images":[{"filename":"1.jpg","split":"val","sentences":[{"raw":"x"}]}]}`,
			[]Image{{"1.jpg", "val", []string{"x"}}},
		},
		"LAVIS": {
			` [{"image":"val/1.jpg","caption":["a","b"]},{"image":"val/2.jpg","caption":"c"},{"image":"val/2.jpg","caption":"d"}]`,
			[]Image{{"val/1.jpg", "", []string{"a", "b"}}, {"val/2.jpg", "", []string{"c", "d"}}},
		},
	}
	for name, test := range tests {
		got, err := ParseAnnotations(strings.NewReader(test.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(test.want, got.Images); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestBadAnnotations(t *testing.T) {
	for text, want := range map[string]string{
		"": "empty", "hello": "no JSON object or list", `{"images":[{"filename":"a"`: "ends in the middle", `{"images":[]}`: "no images", `{"a":1}`: "no images",
		`{"images":"x"}`: `"images" at byte 13 is a string`, `[{"image":5,"caption":"x"}]`: `"image" at byte 11 is a number`, `[7]`: "is a number",
		`[{"image":"a.jpg","caption":"x"}] more`: "more behind its end", `{"images":[}`: "at byte 12",
		strings.Repeat("[", 20000):                                          "depth",
		`[{"image":"a.jpg","caption":[]}]`:                                  "0 captions",
		`[{"image":"a.jpg","caption":"  "}]`:                                "0 captions",
		`[{"image":"../a.jpg","caption":"x"}]`:                              "outside",
		`[{"image":"/etc/passwd","caption":"x"}]`:                           "outside",
		`[{"image":"a.jpg","caption":"` + strings.Repeat("x", 5000) + `"}]`: "longer than",
	} {
		_, err := ParseAnnotations(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "struct") {
			t.Errorf("%.60s: got %v, want %q", text, err, want)
		}
	}
	dataset, err := ParseAnnotations(strings.NewReader("\ufeff" + `{"images":[{"filename":"1.jpg","split":"val","sentences":[{"raw":"x"}]}]}`))
	if err != nil {
		t.Fatalf("with a byte order mark: %v", err)
	}
	if err := dataset.CheckSplits("val", "test"); err == nil || !strings.Contains(err.Error(), `"test"; the splits are ["val"]`) {
		t.Errorf("got %v", err)
	}
}

func FuzzParseAnnotations(f *testing.F) {
	f.Add(`{"images":[{"filepath":"a","filename":"b.jpg","sentences":[{"raw":"x"}]}]}`)
	f.Add(`[{"image":"a.jpg","caption":"x"}]`)
	f.Add(`[{"image":"a.jpg","caption":["x",1]}]`)
	f.Fuzz(func(t *testing.T, text string) {
		dataset, err := ParseAnnotations(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, image := range dataset.Images {
			if strings.Contains(image.Path, "..") && strings.HasPrefix(image.Path, "../") || len(image.Captions) == 0 {
				t.Fatalf("%q gives %+v", text, image)
			}
		}
	})
}
