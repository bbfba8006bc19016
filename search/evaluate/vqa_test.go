package evaluate

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed"
	"mekiki/embed/answering"
	"mekiki/embed/builtin"
	"mekiki/embed/decode"
	"mekiki/embed/modelconfig"
	"mekiki/embed/pixels"
	"mekiki/search/ask"
	"mekiki/search/evaluate/datasets"
)

// redModel says how red a picture is, "yes" without one, and keeps what it was asked.
type redModel struct{ prompts []string }

func (*redModel) AnswerModel() answering.Model {
	return answering.Model{Name: "red", Fingerprint: "f", OwnVision: true, Vision: embed.Vision{ID: "eye"}, Prompts: modelconfig.Prompts{Question: "Q: {} A:"}}
}

func (*redModel) ImageTokens(_ context.Context, images []*pixels.Image) ([]embed.ImageTokens, error) {
	tokens := make([]embed.ImageTokens, len(images))
	for i, image := range images {
		tokens[i] = embed.ImageTokens{Rows: 1, Columns: 1, Values: []float32{float32(image.Pix[0])}}
	}
	return tokens, nil
}

func (*redModel) States(_ context.Context, tokens []embed.ImageTokens) ([]answering.ImageStates, error) {
	return tokens, nil
}

func (*redModel) Score(context.Context, answering.Prompt, []string) ([]float32, error) {
	return nil, errors.ErrUnsupported
}

func (m *redModel) Generate(_ context.Context, prompts []answering.Prompt, _ decode.Options, _ func(int, string) error) ([][]answering.Generated, error) {
	results := make([][]answering.Generated, len(prompts))
	for i, prompt := range prompts {
		m.prompts = append(m.prompts, prompt.Text)
		text := "yes"
		if prompt.States.Rows > 0 {
			text = []string{"No.", "one", "Two", "a red car"}[int(prompt.States.Values[0])]
		}
		results[i] = []answering.Generated{{Text: text, Ended: true}}
	}
	return results, nil
}

// reds is a folder of pictures of one colour, named as COCO names them, and a broken one.
func reds(t *testing.T) fs.FS {
	t.Helper()
	files := fstest.MapFS{"COCO_val2014_000000000004.jpg": {Data: []byte("broken")}, "notes.txt": {}}
	for red := range 4 {
		picture := image.NewRGBA(image.Rect(0, 0, 2, 2))
		for i := range 4 {
			picture.Set(i%2, i/2, color.RGBA{R: uint8(red), A: 255})
		}
		var out bytes.Buffer
		if err := png.Encode(&out, picture); err != nil {
			t.Fatal(err)
		}
		files["COCO_val2014_00000000000"+string(rune('0'+red))+".png"] = &fstest.MapFile{Data: out.Bytes()}
	}
	return files
}

const vqaQuestions = `{"data_subtype": "val2014", "questions": [
{"image_id": 3, "question": "What is this? (A car)", "question_id": 31},
{"image_id": 0, "question": "is it red?", "question_id": 1},
{"image_id": 2, "question": "how many?", "question_id": 21},
{"image_id": 4, "question": "is it broken?", "question_id": 41},
{"image_id": 0, "question": "is it blue?", "question_id": 2}]}`

func annotation(id, kind string, answers ...string) string {
	var list []string
	for _, answer := range answers {
		list = append(list, `{"answer": "`+answer+`", "answer_id": 1}`)
	}
	return `{"question_id": ` + id + `, "answer_type": "` + kind + `", "question_type": "t", "answers": [` + strings.Join(list, ",") + `]}`
}

func annotations() string {
	ten := func(answer string) []string { return strings.Split(strings.Repeat(answer+",", 9)+answer, ",") }
	return `{"annotations": [` + strings.Join([]string{
		annotation("1", "yes/no", ten("no")...), annotation("2", "yes/no", ten("yes")...), annotation("21", "number", append(ten("3")[:8], "2", "two")...),
		annotation("31", "other", ten("red car")...), annotation("41", "yes/no", ten("yes")...),
	}, ",") + `]}`
}

func redAsker(t *testing.T) (*ask.Asker, *redModel) {
	t.Helper()
	model := &redModel{}
	asker, err := ask.New(model, nil, ask.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return asker, model
}

func TestVQA(t *testing.T) {
	images := reds(t)
	set, err := datasets.ReadVQA(strings.NewReader(vqaQuestions), strings.NewReader(annotations()), images)
	if err != nil {
		t.Fatal(err)
	}
	asker, model := redAsker(t)
	report, err := VQA(t.Context(), asker, set, images, VQAOptions{TextOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	// "Two" beside two people of ten: each of these sees one other, the eight others two.
	two := 100 * (8*2.0/3 + 2*1.0/3) / 10
	percent := func(share Share) float64 { return share.Percent }
	got := map[string]float64{
		"all": percent(report.Answers.All), "yes/no": percent(report.Answers.AnswerTypes["yes/no"]), "number": percent(report.Answers.AnswerTypes["number"]),
		"other": percent(report.Answers.AnswerTypes["other"]), "blind": percent(report.TextOnly.All), "blind yes/no": percent(report.TextOnly.AnswerTypes["yes/no"]),
	}
	want := map[string]float64{
		"all": (100 + two + 100) / 5, "yes/no": 100.0 / 3, "number": two, "other": 100, "blind": 40, "blind yes/no": 200.0 / 3,
	}
	for name := range want {
		if difference := got[name] - want[name]; difference > 0.06 || difference < -0.06 {
			t.Errorf("%s: %.2f, want %.2f", name, got[name], want[name])
		}
	}
	if report.Images != 4 || len(report.Unreadable) != 1 || !strings.Contains(report.Unreadable[0], "0004.jpg") || report.Metric != "vqa" || report.Dataset != "val2014" {
		t.Errorf("%+v", report)
	}
	if want := "Q: what is this? a car A:"; model.prompts[3] != want {
		t.Errorf("prompts %q", model.prompts)
	}
	if len(report.Wrong) != 2 {
		t.Errorf("wrong: %+v", report.Wrong)
	}
	for i := range set.List {
		for j, person := range set.List[i].People {
			if person == "red car" {
				set.List[i].People[j] = "red cars"
			}
		}
	}
	for _, lemmas := range []bool{false, true} {
		report, err := VQA(t.Context(), asker, set, images, VQAOptions{Lemmas: lemmas})
		if err != nil {
			t.Fatal(err)
		}
		if other := percent(report.Answers.AnswerTypes["other"]); (other == 100) != lemmas || (report.Metric == "vqa_lemmas") != lemmas {
			t.Errorf("with lemmas %v: %g %% of red cars, %s", lemmas, other, report.Metric)
		}
	}
}

func TestGQA(t *testing.T) {
	images := fstest.MapFS{}
	for name, file := range reds(t).(fstest.MapFS) {
		images["images/"+strings.TrimPrefix(name, "COCO_val2014_00000000000")] = file
	}
	set, err := datasets.ReadGQA(strings.NewReader(`{"07": {"imageId": "1", "question": "How many?", "answer": "1", "types": {"structural": "query"}},
		"08": {"imageId": "0", "question": "Is it?", "answer": "yes", "types": {"structural": "verify"}}}`), images)
	if err != nil {
		t.Fatal(err)
	}
	asker, _ := redAsker(t)
	report, err := VQA(t.Context(), asker, set, images, VQAOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Metric != "exact" || report.Answers.All.Percent != 50 || report.Answers.AnswerTypes["query"].Percent != 100 || report.TextOnly != nil {
		t.Errorf("%+v", report)
	}
}

func TestQuestionsThatCannotBeRead(t *testing.T) {
	images := reds(t)
	for name, files := range map[string][2]string{
		"no JSON":          {"questions", annotations()},
		"no questions":     {"{}", annotations()},
		"no annotation":    {vqaQuestions, `{"annotations": []}`},
		"no picture":       {strings.ReplaceAll(vqaQuestions, `"image_id": 3`, `"image_id": 99`), annotations()},
		"path outside":     {strings.ReplaceAll(vqaQuestions, `"image_id": 3`, `"image": "../x.png"`), annotations()},
		"empty question":   {strings.ReplaceAll(vqaQuestions, "is it red?", " "), annotations()},
		"without answers":  {vqaQuestions, strings.ReplaceAll(annotations(), `"answers"`, `"other"`)},
		"question is long": {strings.ReplaceAll(vqaQuestions, "is it red?", strings.Repeat("why ", 300)), annotations()},
	} {
		if _, err := datasets.ReadVQA(strings.NewReader(files[0]), strings.NewReader(files[1]), images); err == nil {
			t.Errorf("%s: it is read", name)
		}
	}
	if _, err := datasets.ReadGQA(strings.NewReader(`{"1": {"imageId": "x", "question": "a?", "answer": "b"}}`), images); err == nil {
		t.Error("a picture that is not there is found")
	}
}

// TestGalleryQuestions: those of the gallery are all about its pictures, and of known splits.
func TestGalleryQuestions(t *testing.T) {
	images, err := fs.Sub(builtin.Gallery(), "images")
	if err != nil {
		t.Fatal(err)
	}
	file, err := builtin.Gallery().Open("questions.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	set, err := datasets.ReadVQA(file, nil, images)
	if err != nil {
		t.Fatal(err)
	}
	test, val := set.Only("test"), set.Only("val")
	if len(test.List) < 500 || len(test.List)+len(val.List) != len(set.List) {
		t.Errorf("%d questions, %d of test, %d of val", len(set.List), len(test.List), len(val.List))
	}
	for _, one := range set.List {
		if _, err := fs.Stat(images, one.Image); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCaptionsAreMeasured(t *testing.T) {
	images := reds(t)
	var dataset datasets.Dataset
	for _, name := range []string{"COCO_val2014_000000000000.png", "COCO_val2014_000000000001.png", "COCO_val2014_000000000002.png"} {
		dataset.Images = append(dataset.Images, datasets.Image{Path: name, Captions: []string{"a red car on a road", "one red car " + name[26:28]}})
	}
	// One that is not there costs itself alone, also between others.
	dataset.Images = slices.Insert(dataset.Images, 1, datasets.Image{Path: "gone.png", Captions: []string{"nothing"}})
	describe := func(_ context.Context, pictures []*pixels.Image) ([]string, error) {
		captions := make([]string, len(pictures))
		for i, picture := range pictures {
			captions[i] = []string{"a red car on a road", "a blue boat", "A red car, on a road."}[picture.Pix[0]]
		}
		return captions, nil
	}
	report, err := Captions(t.Context(), describe, Source{Files: images, Dataset: dataset}, Options{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	var written []string
	for _, example := range report.Examples {
		written = append(written, example.Caption)
	}
	if diff := cmp.Diff([]string{"a red car on a road", "a blue boat", "A red car, on a road."}, written); diff != "" || report.Images != 3 || len(report.Unreadable) != 1 || !strings.Contains(report.Unreadable[0], "gone.png") || !(report.BLEU[0] > 70 && report.BLEU[0] < 100) {
		t.Errorf("%+v %s", report, diff)
	}
}
