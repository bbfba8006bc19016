package contract

import (
	"mekiki/search/ask"
)

// Ask is a question that the best hits are asked.
type Ask struct {
	// Question is put as it is.
	Question string
	// Answer is what hits must answer, or must not where Not is set; "" when any answer will do.
	Answer string
	Not    bool
}

// Condition says what hits have to answer.
func (a Ask) Condition() string {
	switch {
	case a.Answer == "":
		return ""
	case a.Not:
		return "!=" + a.Answer
	}
	return "=" + a.Answer
}

// Holds reports whether an answer is as asked for.
func (a Ask) Holds(answer ask.Answer) bool {
	return a.Answer == "" || (answer.Normal == ask.Normal(a.Answer)) != a.Not
}

// Asked says what became of one question.
type Asked struct {
	// Question is the question, and Condition what hits had to answer, such as "=yes" or "!=no"; "" without one.
	Question  string `json:"question"`
	Condition string `json:"condition,omitempty"`
	// Model is the second stage that answered.
	Model string `json:"model"`
	// Answered counts the pictures that gave an answer, and Failed those that could not be read.
	Answered int `json:"answered"`
	Failed   int `json:"failed,omitempty"`
	// Unasked counts those of the best that the time did not reach.
	Unasked int `json:"unasked,omitempty"`
	// Answers counts the answers by their normal form, the most frequent first.
	Answers []ask.Count `json:"answers"`
}

// HitAnswer is what one picture answered to one question.
type HitAnswer struct {
	Question string `json:"question"`
	// Text is the answer; it may be empty. Probability is the model's for this very text.
	Text        string  `json:"answer"`
	Probability float64 `json:"answer_probability"`
}
