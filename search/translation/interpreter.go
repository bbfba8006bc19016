package translation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"mekiki/embed/marian"
	"mekiki/embed/modelconfig"
	"mekiki/embed/runner"
	"mekiki/embed/translate"
	"mekiki/internal/lru"
)

// English is the language that image-text models read.
const English = "en"

// Pair is what a translator that is installed translates from and into, as base languages.
type Pair struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// PairOf is the pair of a translation model.
func PairOf(model modelconfig.Language) Pair {
	return Pair{From: marian.Base(model.From), To: marian.Base(model.To)}
}

// Base is the base language of a tag, such as "ja" for "ja-JP".
func Base(tag string) string { return marian.Base(tag) }

// Opener opens a translator, and is asked once for each.
type Opener func(ctx context.Context) (Closer, error)

// Closer is a translator that is closed.
type Closer interface {
	translate.Translator
	Close() error
}

// Interpreter puts texts into another language by the translators that are installed. It is safe for concurrent use. Close it
// when done.
type Interpreter struct {
	openers map[Pair]Opener
	texts   *lru.Cache[textKey, string]

	mutex  sync.Mutex
	opened map[Pair]Closer
	order  []Pair // of opened, the one used longest ago first
	closed bool
}

type textKey struct {
	pair  Pair
	query bool // written as queries are
	text  string
}

// New makes an Interpreter of the translators that are installed.
func New(installed map[Pair]Opener) *Interpreter {
	return &Interpreter{openers: installed, opened: map[Pair]Closer{}, texts: lru.New[textKey, string](keptTexts)}
}

// ErrNoTranslator means that no translator between two languages is installed.
var ErrNoTranslator = errors.New("no translator between these languages is installed")

// Pairs lists what can be translated, in alphabetical order.
func (i *Interpreter) Pairs() []Pair {
	var list []Pair
	for pair := range i.openers {
		list = append(list, pair)
	}
	slices.SortFunc(list, func(a, b Pair) int { return strings.Compare(a.From+" "+a.To, b.From+" "+b.To) })
	return list
}

// Translation is texts in another language.
type Translation struct {
	From, To string
	Texts    []string
}

// IntoEnglish translates texts that are not English. Language is the base language that they are in, or "" to detect it from
// all of them. It returns nil where they are taken for English; ErrNoTranslator, with the likeliest language in From, where no
// translator reads them.
func (i *Interpreter) IntoEnglish(ctx context.Context, texts []string, language string) (*Translation, error) {
	languages := []string{language}
	if language == "" {
		languages = Detect(strings.Join(texts, " "))
	}
	if len(languages) == 0 || languages[0] == English {
		return nil, nil
	}
	pair, err := i.Choose(languages, English)
	if err != nil {
		return &Translation{From: pair.From, To: pair.To}, err
	}
	translated, err := i.kept(ctx, pair, texts, true)
	return &Translation{pair.From, pair.To, translated}, err
}

// Choose says which translator texts take that may be in some languages, the likeliest first: that of the first which one
// reads. ErrNoTranslator comes with the pair of the likeliest.
func (i *Interpreter) Choose(languages []string, into string) (Pair, error) {
	for _, from := range languages {
		if pair := (Pair{from, into}); i.openers[pair] != nil {
			return pair, nil
		}
	}
	return Pair{languages[0], into}, fmt.Errorf("%s into %s: %w", languages[0], into, ErrNoTranslator)
}

// Translate puts texts of one language into another. Translations are kept, so that asking again costs nothing.
func (i *Interpreter) Translate(ctx context.Context, pair Pair, texts []string) ([]string, error) {
	return i.kept(ctx, pair, texts, false)
}

// kept gives translations that are kept, and has the others written, as queries or with more care.
func (i *Interpreter) kept(ctx context.Context, pair Pair, texts []string, query bool) ([]string, error) {
	results := make([]string, len(texts))
	var missing []string
	for at, text := range texts {
		if known, ok := i.texts.Get(textKey{pair, query, text}); ok {
			results[at] = known
		} else {
			missing = append(missing, text)
		}
	}
	if len(missing) == 0 {
		return results, nil
	}
	translated, err := i.translate(ctx, pair, missing, query)
	if err != nil {
		return nil, err
	}
	for at, text := range texts {
		if results[at] == "" {
			if k := slices.Index(missing, text); k >= 0 {
				results[at] = translated[k]
			}
		}
	}
	for k, text := range missing {
		i.texts.Put(textKey{pair, query, text}, translated[k], 1)
	}
	return results, nil
}

// translate asks a translator, and opens it again where it was closed to make room for another between opening and asking.
func (i *Interpreter) translate(ctx context.Context, pair Pair, texts []string, query bool) (translated []string, err error) {
	for range mostOpenings {
		translator, openErr := i.open(ctx, pair)
		if openErr != nil {
			return nil, openErr
		}
		write := translator.Translate
		if query {
			write = translator.TranslateQueries
		}
		if translated, err = write(ctx, texts); !errors.Is(err, runner.ErrClosed) {
			return translated, err
		}
	}
	return nil, err
}

// open returns the translator of a pair. At most keptTranslators stay open: the one used longest ago makes room, once it is
// idle, which its Close waits for.
func (i *Interpreter) open(ctx context.Context, pair Pair) (translate.Translator, error) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.closed {
		return nil, errors.New("the interpreter is closed")
	}
	if at := slices.Index(i.order, pair); at >= 0 {
		i.order = append(slices.Delete(i.order, at, at+1), pair)
		return i.opened[pair], nil
	}
	opener := i.openers[pair]
	if opener == nil {
		return nil, fmt.Errorf("%s into %s: %w", pair.From, pair.To, ErrNoTranslator)
	}
	for len(i.order) >= keptTranslators {
		oldest := i.order[0]
		if err := i.opened[oldest].Close(); err != nil {
			return nil, fmt.Errorf("close the translator of %s: %w", oldest.From, err)
		}
		delete(i.opened, oldest)
		i.order = i.order[1:]
	}
	translator, err := opener(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the translator of %s: %w", pair.From, err)
	}
	i.opened[pair], i.order = translator, append(i.order, pair)
	return translator, nil
}

// Close closes the translators that are open.
func (i *Interpreter) Close() error {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.closed = true
	var problems []error
	for _, translator := range i.opened {
		problems = append(problems, translator.Close())
	}
	i.opened, i.order = map[Pair]Closer{}, nil
	return errors.Join(problems...)
}
