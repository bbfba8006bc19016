package datasets

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Dataset is annotated pictures.
type Dataset struct {
	// Name is the dataset's own, or "".
	Name string
	// Images are in the order of the annotations.
	Images []Image
}

// Image is one annotated picture.
type Image struct {
	// Path is where the picture lies, with slashes, relative to the images'
	// folder.
	Path string
	// Split is "train", "val", "test" or what else the annotations say.
	Split string
	// Captions are descriptions by people.
	Captions []string
}

// Splits counts the images of each split.
func (d Dataset) Splits() map[string]int {
	counts := map[string]int{}
	for _, image := range d.Images {
		counts[image.Split]++
	}
	return counts
}

// CheckSplits refuses a split that no image is of.
func (d Dataset) CheckSplits(splits ...string) error {
	known := d.Splits()
	for _, split := range splits {
		if known[split] == 0 {
			return fmt.Errorf("no picture is of the split %q; the splits are %q", split, sortedKeys(known))
		}
	}
	return nil
}

// Only gives the images of some splits; none means all.
func (d Dataset) Only(splits ...string) Dataset {
	if len(splits) == 0 {
		return d
	}
	only := Dataset{Name: d.Name}
	for _, image := range d.Images {
		if slices.Contains(splits, image.Split) {
			only.Images = append(only.Images, image)
		}
	}
	return only
}

// ReadAnnotations reads a dataset from a JSON file in one of two layouts:
// Karpathy's (an object with "images", each with "sentences"), of which COCO
// and Flickr30k differ in whether there is a "filepath"; or LAVIS's (a list of
// "image" and "caption"). Of LAVIS's the split is that of the file: "".
func ReadAnnotations(fsys fs.FS, name string) (Dataset, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return Dataset{}, fmt.Errorf("read annotations: %w", err)
	}
	defer file.Close()
	dataset, err := ParseAnnotations(file)
	if err != nil {
		return Dataset{}, fmt.Errorf("read annotations %s: %w", name, err)
	}
	return dataset, nil
}

// ParseAnnotations is ReadAnnotations of an open file.
func ParseAnnotations(r io.Reader) (Dataset, error) {
	limited := &io.LimitedReader{R: r, N: maximumAnnotationBytes}
	buffered := bufio.NewReader(limited)
	first, err := firstByte(buffered)
	if err != nil {
		return Dataset{}, err
	}
	decoder := json.NewDecoder(buffered)
	var dataset Dataset
	switch first {
	case '{':
		dataset, err = parseKarpathy(decoder)
	case '[':
		dataset, err = parseList(decoder)
	default:
		err = errors.New("it is no JSON object or list")
	}
	if err == nil {
		err = checkEnd(decoder)
	}
	if err != nil {
		if limited.N <= 0 {
			return Dataset{}, fmt.Errorf("the file is larger than %d bytes", maximumAnnotationBytes)
		}
		return Dataset{}, explainJSON(err)
	}
	return dataset, dataset.check()
}

// checkEnd refuses what comes after a value.
func checkEnd(decoder *json.Decoder) error {
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("there is more behind its end, at byte %d", decoder.InputOffset())
	}
	return nil
}

// explainJSON says what is wrong with JSON without the names of Go's types.
func explainJSON(err error) error {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Errorf("the value of %q at byte %d is a %s, which it cannot be", kind.Field, kind.Offset, kind.Value)
	case errors.As(err, &kind):
		return fmt.Errorf("the value at byte %d is a %s, which it cannot be", kind.Offset, kind.Value)
	case errors.As(err, &syntax):
		return fmt.Errorf("it is no JSON at byte %d: %w", syntax.Offset, err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it ends in the middle of its JSON")
	}
	return err
}

// firstByte looks at the first byte that is no space, behind a byte order mark
// if there is one.
func firstByte(r *bufio.Reader) (byte, error) {
	if mark, err := r.Peek(3); err == nil && string(mark) == "\ufeff" {
		if _, err := r.Discard(3); err != nil {
			return 0, err
		}
	}
	for {
		next, err := r.ReadByte()
		if err != nil {
			return 0, errors.New("the file is empty")
		}
		if !bytes.ContainsRune([]byte(" \t\r\n"), rune(next)) {
			return next, r.UnreadByte()
		}
	}
}

func parseKarpathy(decoder *json.Decoder) (Dataset, error) {
	var file struct {
		Dataset string `json:"dataset"`
		Images  []struct {
			FilePath  string `json:"filepath"`
			FileName  string `json:"filename"`
			Split     string `json:"split"`
			Sentences []struct {
				Raw    string   `json:"raw"`
				Tokens []string `json:"tokens"`
			} `json:"sentences"`
		} `json:"images"`
	}
	if err := decoder.Decode(&file); err != nil {
		return Dataset{}, err
	}
	dataset := Dataset{Name: file.Dataset}
	for _, entry := range file.Images {
		image := Image{Path: path.Join(entry.FilePath, entry.FileName), Split: entry.Split}
		for _, sentence := range entry.Sentences {
			text := sentence.Raw
			if text == "" {
				text = strings.Join(sentence.Tokens, " ")
			}
			image.Captions = append(image.Captions, text)
		}
		dataset.Images = append(dataset.Images, image)
	}
	return dataset, nil
}

// captionList is one caption or several.
type captionList []string

// UnmarshalJSON reads a string or a list of strings.
func (c *captionList) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*c = captionList{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(c))
}

func parseList(decoder *json.Decoder) (Dataset, error) {
	var entries []struct {
		Image   string      `json:"image"`
		Caption captionList `json:"caption"`
	}
	if err := decoder.Decode(&entries); err != nil {
		return Dataset{}, err
	}
	var dataset Dataset
	places := map[string]int{}
	for _, entry := range entries {
		place, known := places[entry.Image]
		if !known { // a training list repeats the image for each caption
			place = len(dataset.Images)
			places[entry.Image] = place
			dataset.Images = append(dataset.Images, Image{Path: path.Clean(entry.Image)})
		}
		dataset.Images[place].Captions = append(dataset.Images[place].Captions, entry.Caption...)
	}
	return dataset, nil
}

// check refuses what no dataset should have, naming the image.
func (d *Dataset) check() error {
	if len(d.Images) == 0 {
		return errors.New("there are no images in it; expected Karpathy's layout or a list of image and caption")
	}
	if len(d.Images) > maximumImages {
		return fmt.Errorf("%d images are more than the limit of %d", len(d.Images), maximumImages)
	}
	for i := range d.Images {
		image := &d.Images[i]
		if !fs.ValidPath(image.Path) || image.Path == "." {
			return fmt.Errorf("image %d: the path %q leads nowhere or outside the images' folder", i, image.Path)
		}
		captions := image.Captions[:0]
		for _, caption := range image.Captions {
			caption = strings.Join(strings.Fields(strings.ToValidUTF8(caption, "")), " ")
			if len(caption) > maximumCaptionBytes {
				return fmt.Errorf("image %d (%s): a caption is longer than %d bytes", i, image.Path, maximumCaptionBytes)
			}
			if caption != "" {
				captions = append(captions, caption)
			}
		}
		image.Captions = captions
		if len(captions) == 0 || len(captions) > maximumCaptions {
			return fmt.Errorf("image %d (%s) has %d captions; expected 1 to %d", i, image.Path, len(captions), maximumCaptions)
		}
	}
	return nil
}
