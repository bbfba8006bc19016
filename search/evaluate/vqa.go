package evaluate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"time"

	"mekiki/embed/decode"
	"mekiki/embed/pixels"
	"mekiki/embed/tokenize"
	"mekiki/search/ask"
	"mekiki/search/evaluate/datasets"
	"mekiki/search/evaluate/statistics"
	"mekiki/search/vqa"
)

// VQAOptions configure the evaluation of answers.
type VQAOptions struct {
	// Decode says how answers are written; see [PublishedDecoding].
	Decode decode.Options
	// Template is the prompt, with "{}" where a question goes; "" means the model's own.
	Template string
	// AsTyped leaves questions as they are; else they are prepared as LAVIS does, in lower case and without most
	// punctuation.
	AsTyped bool
	// TextOnly asks without the pictures too, for comparison.
	TextOnly bool
	// Lemmas compares answers by the dictionary forms of their words, where people answered; see [vqa.Lemmas].
	Lemmas bool
	// Splits are those that are asked; none means all.
	Splits []string
	// Sample is the largest number of questions, drawn at random with a fixed seed; 0 means all.
	Sample int
	// Progress is called as the evaluation goes on.
	Progress func(doing string, done, total int)
}

// PublishedDecoding is how BLIP-2's published answers were written: five beams, at most ten tokens, and short answers
// preferred (for OPT, a length penalty of 0).
func PublishedDecoding() decode.Options {
	penalty := -1.0
	return decode.Options{Method: decode.Beam, Beams: 5, MaximumTokens: 10, MinimumTokens: 1, LengthPenalty: &penalty}
}

// VQAReport is how right answers were. Its JSON is a public contract.
type VQAReport struct {
	Dataset     string `json:"dataset"`
	Model       string `json:"model"`
	Fingerprint string `json:"fingerprint"`
	// Metric is "vqa", the accuracy beside several people's answers, "vqa_lemmas", the same of reduced words, or "exact".
	Metric string `json:"metric"`
	// Images counts the pictures; Unreadable lists those that could not be read, whose questions count as wrong.
	Images     int      `json:"images"`
	Unreadable []string `json:"unreadable,omitempty"`
	// Answers are those from the pictures, TextOnly those from the questions alone.
	Answers  VQAAccuracy  `json:"answers"`
	TextOnly *VQAAccuracy `json:"text_only,omitempty"`
	// Wrong lists some answers that nobody gave, for people to look at.
	Wrong []WrongAnswer `json:"wrong,omitempty"`
	// Seconds is what the evaluation took.
	Seconds float64 `json:"seconds"`
}

// VQAAccuracy is how right answers were, in percent, with intervals by bootstrap over pictures.
type VQAAccuracy struct {
	// All leaves out the held-out facts, of datasets that have some.
	All           Share            `json:"all"`
	AnswerTypes   map[string]Share `json:"answer_types,omitempty"`
	QuestionTypes map[string]Share `json:"question_types,omitempty"`
	// Forms are of wordings known from training, and others.
	Forms map[string]Share `json:"forms,omitempty"`
	// HeldOutFacts are questions for facts that training never told.
	HeldOutFacts *Share `json:"held_out_facts,omitempty"`
}

// WrongAnswer is one answer that nobody gave.
type WrongAnswer struct {
	Image    string `json:"image"`
	Question string `json:"question"`
	Answer   string `json:"answer"`
	Right    string `json:"right"`
}

// VQA measures answers to questions about the pictures in a folder.
func VQA(ctx context.Context, asker *ask.Asker, set datasets.Questions, images fs.FS, options VQAOptions) (VQAReport, error) {
	started := time.Now()
	if options.Progress == nil {
		options.Progress = func(string, int, int) {}
	}
	set = set.Only(options.Splits...)
	set.List = sampled(set.List, options.Sample)
	if len(set.List) == 0 {
		return VQAReport{}, errors.New("evaluate: there are no questions")
	}
	model := asker.Model()
	report := VQAReport{Dataset: set.Name, Model: model.Name, Fingerprint: model.Fingerprint, Metric: "vqa"}
	if set.Exact {
		report.Metric = "exact"
	}
	var lemmas *vqa.Lemmas
	if options.Lemmas && !set.Exact {
		var err error
		if lemmas, err = vqa.NewLemmas(); err != nil {
			return VQAReport{}, err
		}
		report.Metric = "vqa_lemmas"
	}
	e := &vqaEvaluation{asker: asker, set: set, images: images, options: options, report: &report}
	texts, err := e.answers(ctx, true)
	if err != nil {
		return VQAReport{}, err
	}
	report.Answers = accuracyOf(set, texts, lemmas)
	report.Wrong = wrongOf(set, texts, lemmas)
	if options.TextOnly {
		if texts, err = e.answers(ctx, false); err != nil {
			return VQAReport{}, err
		}
		blind := accuracyOf(set, texts, lemmas)
		report.TextOnly = &blind
	}
	report.Seconds = statistics.RoundTo(time.Since(started).Seconds(), 1)
	return report, nil
}

// sampled draws questions, and leaves them in their order.
func sampled(list []datasets.Question, most int) []datasets.Question {
	if most == 0 || most >= len(list) {
		return list
	}
	drawn := rand.New(rand.NewPCG(1, 2)).Perm(len(list))[:most]
	keep := make([]bool, len(list))
	for _, i := range drawn {
		keep[i] = true
	}
	var some []datasets.Question
	for i, one := range list {
		if keep[i] {
			some = append(some, one)
		}
	}
	return some
}

// vqaEvaluation is one evaluation on its way.
type vqaEvaluation struct {
	asker   *ask.Asker
	set     datasets.Questions
	images  fs.FS
	options VQAOptions
	report  *VQAReport

	last    string // picture that was read
	picture ask.Picture
	broken  bool
}

// answers gives the answer to each question, from the pictures or without them.
func (e *vqaEvaluation) answers(ctx context.Context, seeing bool) ([]string, error) {
	doing := "answer from the questions alone"
	if seeing {
		doing = "answer questions"
	}
	texts := make([]string, len(e.set.List))
	var places []int
	var pictures []ask.Picture
	var questions []ask.Question
	flush := func() error {
		answers, err := e.asker.Answers(ctx, pictures, questions...)
		if err != nil {
			return fmt.Errorf("evaluate: %w", err)
		}
		for i, answer := range answers {
			texts[places[i]] = answer.Text
		}
		places, pictures, questions = nil, nil, nil
		return nil
	}
	for i, one := range e.set.List {
		picture := ask.Picture{}
		if seeing {
			if err := e.read(ctx, one.Image); err != nil {
				return nil, err
			}
			if e.broken {
				continue
			}
			picture = e.picture
		}
		places, pictures, questions = append(places, i), append(pictures, picture), append(questions, e.question(one.Text))
		if len(pictures) == vqaBatch {
			if err := flush(); err != nil {
				return nil, err
			}
			e.options.Progress(doing, i+1, len(texts))
		}
	}
	if len(pictures) > 0 {
		if err := flush(); err != nil {
			return nil, err
		}
	}
	e.options.Progress(doing, len(texts), len(texts))
	return texts, nil
}

func (e *vqaEvaluation) question(text string) ask.Question {
	if !e.options.AsTyped {
		text = cmp.Or(strings.TrimSpace(tokenize.CleanQuestion(text)), text)
	}
	return ask.Question{Text: text, Template: e.options.Template, Decode: e.options.Decode}
}

// read reads a picture, unless it is the last one.
func (e *vqaEvaluation) read(ctx context.Context, name string) error {
	if name == e.last {
		return nil
	}
	e.last, e.broken = name, false
	e.report.Images++
	data, err := readPicture(e.images, name)
	if err == nil {
		var image *pixels.Image
		if image, err = pixels.Decode(ctx, data, pixels.Options{}); err == nil {
			e.picture, err = e.asker.Image(ctx, image, sha256.Sum256(data))
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		e.broken = true
		e.report.Unreadable = append(e.report.Unreadable, fmt.Sprintf("%s: %v", name, err))
	}
	return nil
}

// rightness is how right an answer is, 0 to 1.
func rightness(q datasets.Questions, one datasets.Question, answer string, lemmas *vqa.Lemmas) float64 {
	if !q.Exact && lemmas != nil {
		return lemmas.Accuracy(answer, one.People)
	}
	if !q.Exact {
		return vqa.Accuracy(answer, one.People)
	}
	if vqa.Normalize(answer) == vqa.Normalize(one.People[0]) {
		return 1
	}
	return 0
}

// scored is one answer with its group.
type scored struct {
	outcome statistics.Outcome
	value   float64
}

// accuracyOf summarises answers.
func accuracyOf(set datasets.Questions, texts []string, lemmas *vqa.Lemmas) (accuracy VQAAccuracy) {
	groups := map[string]map[string][]scored{"all": {}, "answer": {}, "question": {}, "form": {}, "held": {}}
	clusters := map[string]int{}
	for i, one := range set.List {
		if _, known := clusters[one.Image]; !known {
			clusters[one.Image] = len(clusters)
		}
		s := scored{statistics.Outcome{Rank: i, Cluster: clusters[one.Image]}, rightness(set, one, texts[i], lemmas)}
		if one.HeldOutFact {
			groups["held"]["held"] = append(groups["held"]["held"], s)
			continue
		}
		for group, name := range map[string]string{"all": "all", "answer": one.AnswerType, "question": one.QuestionType, "form": one.Form} {
			if name != "" {
				groups[group][name] = append(groups[group][name], s)
			}
		}
	}
	shares := func(group string) map[string]Share {
		result := make(map[string]Share, len(groups[group]))
		for name, some := range groups[group] {
			result[name] = meanShare(some)
		}
		return result
	}
	accuracy.All = shares("all")["all"]
	accuracy.AnswerTypes, accuracy.QuestionTypes, accuracy.Forms = shares("answer"), shares("question"), shares("form")
	if held, some := shares("held")["held"]; some {
		accuracy.HeldOutFacts = &held
	}
	return accuracy
}

func meanShare(some []scored) Share {
	outcomes, values := make([]statistics.Outcome, len(some)), map[int]float64{}
	for i, one := range some {
		outcomes[i], values[one.outcome.Rank] = one.outcome, one.value
	}
	percent, interval := statistics.MeanWithInterval(outcomes, func(o statistics.Outcome) float64 { return 100 * values[o.Rank] })
	return Share{Percent: percent, Interval: interval, Count: len(some)}
}

// wrongOf lists some answers that nobody gave.
func wrongOf(set datasets.Questions, texts []string, lemmas *vqa.Lemmas) (wrong []WrongAnswer) {
	for i, one := range set.List {
		if len(wrong) < maximumWrong && rightness(set, one, texts[i], lemmas) == 0 {
			wrong = append(wrong, WrongAnswer{Image: one.Image, Question: one.Text, Answer: texts[i], Right: one.People[0]})
		}
	}
	return wrong
}
