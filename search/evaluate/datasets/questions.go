package datasets

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"mekiki/embed/pixels"
	"mekiki/search/ask"
)

// Questions are questions about pictures, with right answers.
type Questions struct {
	// Name is the dataset's, or "".
	Name string
	// List is in the order of pictures.
	List []Question
	// Exact says that there is one right answer (GQA); else there are those of several people.
	Exact bool
}

// Question is one question about a picture.
type Question struct {
	// Image is the path of the picture, with slashes, relative to the images' folder.
	Image string
	Text  string
	// People are the answers of people, or the one right answer.
	People []string
	// AnswerType and QuestionType are the dataset's; they may be empty.
	AnswerType, QuestionType string
	// Form says whether the wording is known from training, and HeldOutFact that what is asked for is not, in
	// datasets that tell.
	Form        string
	HeldOutFact bool
	// Split is the dataset's, or "".
	Split string
}

// vqaFile is the layout of VQAv2 and OK-VQA, for questions and for annotations; members beyond are those of the
// built-in gallery.
type vqaFile struct {
	Subtype   string `json:"data_subtype"`
	Questions []struct {
		ID    json.Number `json:"question_id"`
		Image json.Number `json:"image_id"`
		Path  string      `json:"image"`
		Text  string      `json:"question"`
		Split string      `json:"split"`
	} `json:"questions"`
	Annotations []struct {
		ID           json.Number `json:"question_id"`
		AnswerType   string      `json:"answer_type"`
		QuestionType string      `json:"question_type"`
		Form         string      `json:"form"`
		HeldOutFact  bool        `json:"held_out_fact"`
		Answers      []struct {
			Answer string `json:"answer"`
		} `json:"answers"`
	} `json:"annotations"`
}

// ReadVQA reads questions and annotations in the layout of VQAv2 and OK-VQA; both may be in one file. Pictures are found
// in images by their path, where one is given, or by the number at the end of their names, as in
// COCO_val2014_000000262148.jpg.
func ReadVQA(questions, annotations io.Reader, images fs.FS) (Questions, error) {
	asked, err := decodeJSON[vqaFile](questions)
	if err != nil {
		return Questions{}, fmt.Errorf("read questions: %w", err)
	}
	said := asked
	if annotations != nil {
		if said, err = decodeJSON[vqaFile](annotations); err != nil {
			return Questions{}, fmt.Errorf("read annotations: %w", err)
		}
	}
	if len(asked.Questions) == 0 || len(asked.Questions) > maximumQuestions {
		return Questions{}, fmt.Errorf("there are %d questions; expected 1 to %d", len(asked.Questions), maximumQuestions)
	}
	numbers, err := numbered(images)
	if err != nil {
		return Questions{}, err
	}
	set := Questions{Name: asked.Subtype}
	places := make(map[json.Number]int, len(said.Annotations))
	for i, annotation := range said.Annotations {
		places[annotation.ID] = i
	}
	for _, one := range asked.Questions {
		place, known := places[one.ID]
		if !known {
			return Questions{}, fmt.Errorf("question %s has no annotation", one.ID)
		}
		annotation := said.Annotations[place]
		question := Question{
			Image: one.Path, Text: one.Text, AnswerType: annotation.AnswerType, QuestionType: annotation.QuestionType,
			Form: annotation.Form, HeldOutFact: annotation.HeldOutFact, Split: one.Split,
		}
		if question.Image == "" {
			if question.Image = numbers[string(one.Image)]; question.Image == "" {
				return Questions{}, fmt.Errorf("question %s: no picture has the number %s in its name", one.ID, one.Image)
			}
		}
		for _, answer := range annotation.Answers {
			question.People = append(question.People, answer.Answer)
		}
		set.List = append(set.List, question)
	}
	return set, set.check()
}

// ReadGQA reads questions in the layout of GQA: an object of questions by their id, each with an imageId, a question and
// an answer. The picture of an id is a file of that name.
func ReadGQA(questions io.Reader, images fs.FS) (Questions, error) {
	file, err := decodeJSON[map[string]struct {
		Image  string `json:"imageId"`
		Text   string `json:"question"`
		Answer string `json:"answer"`
		Types  struct {
			Structural string `json:"structural"`
			Semantic   string `json:"semantic"`
		} `json:"types"`
	}](questions)
	if err != nil {
		return Questions{}, fmt.Errorf("read questions: %w", err)
	}
	if len(file) == 0 || len(file) > maximumQuestions {
		return Questions{}, fmt.Errorf("there are %d questions; expected 1 to %d", len(file), maximumQuestions)
	}
	names, err := named(images)
	if err != nil {
		return Questions{}, err
	}
	set := Questions{Name: "GQA", Exact: true}
	for _, id := range sortedKeys(file) {
		one := file[id]
		image := names[one.Image]
		if image == "" {
			return Questions{}, fmt.Errorf("question %s: there is no picture %s", id, one.Image)
		}
		set.List = append(set.List, Question{
			Image: image, Text: one.Text, People: []string{one.Answer}, AnswerType: one.Types.Structural, QuestionType: one.Types.Semantic,
		})
	}
	return set, set.check()
}

// Only gives the questions of some splits; none means all.
func (q Questions) Only(splits ...string) Questions {
	if len(splits) > 0 {
		q.List = slices.DeleteFunc(slices.Clone(q.List), func(one Question) bool { return !slices.Contains(splits, one.Split) })
	}
	return q
}

// check refuses what no questions should have, and puts those about one picture together.
func (q *Questions) check() error {
	for i, one := range q.List {
		switch {
		case strings.TrimSpace(one.Text) == "" || utf8.RuneCountInString(one.Text) > ask.MaximumQuestion:
			return fmt.Errorf("question %d is empty or longer than %d characters", i, ask.MaximumQuestion)
		case len(one.People) == 0 || len(one.People) > maximumAnswers:
			return fmt.Errorf("question %d has %d answers; expected 1 to %d", i, len(one.People), maximumAnswers)
		case !fs.ValidPath(one.Image):
			return fmt.Errorf("question %d: the path %q leads nowhere or outside the images' folder", i, one.Image)
		}
	}
	slices.SortStableFunc(q.List, func(a, b Question) int { return strings.Compare(a.Image, b.Image) })
	return nil
}

// decodeJSON reads one JSON value, at most a gibibyte of it.
func decodeJSON[T any](reader io.Reader) (value T, err error) {
	decoder := json.NewDecoder(bufio.NewReader(io.LimitReader(reader, maximumAnnotationBytes)))
	err = decoder.Decode(&value)
	return value, explainJSON(err)
}

// numbered gives the paths of pictures by the number at the end of their names, without zeros before it.
func numbered(images fs.FS) (map[string]string, error) {
	paths := map[string]string{}
	err := walkImages(images, func(name, stem string) {
		digits := stem[len(strings.TrimRight(stem, "0123456789")):]
		if number, err := strconv.ParseUint(digits, 10, 64); err == nil {
			paths[strconv.FormatUint(number, 10)] = name
		}
	})
	return paths, err
}

// named gives the paths of pictures by their names without an extension.
func named(images fs.FS) (map[string]string, error) {
	paths := map[string]string{}
	return paths, walkImages(images, func(name, stem string) { paths[stem] = name })
}

func walkImages(images fs.FS, found func(name, stem string)) error {
	count := 0
	return fs.WalkDir(images, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("read the folder of pictures: %w", err)
		}
		if !entry.IsDir() && pixels.HasImageName(name) {
			if count++; count > maximumImages {
				return fmt.Errorf("there are more than %d pictures", maximumImages)
			}
			found(name, strings.TrimSuffix(path.Base(name), path.Ext(name)))
		}
		return nil
	})
}
