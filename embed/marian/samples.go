package marian

import (
	"mekiki/embed/language"
	tokenizers "mekiki/embed/tokenize/language"
)

// sentence is a sentence in the languages of published models, and in English.
type sentence struct {
	english string
	others  map[string]string
}

// sentences are what people look for in pictures.
var sentences = []sentence{
	{"two dogs on a beach", map[string]string{"ja": "浜辺にいる二匹の犬", "zh": "海滩上的两只狗", "de": "zwei Hunde am Strand",
		"fr": "deux chiens sur une plage", "es": "dos perros en una playa", "ru": "две собаки на пляже"}},
	{"a red car parked in front of an old house", map[string]string{"ja": "古い家の前に停まっている赤い車", "zh": "停在老房子前的一辆红色汽车",
		"de": "ein rotes Auto, das vor einem alten Haus steht", "fr": "une voiture rouge garée devant une vieille maison",
		"es": "un coche rojo aparcado delante de una casa antigua", "ru": "красная машина перед старым домом"}},
	{"a woman reading a book on the train", map[string]string{"ja": "電車で本を読んでいる女性", "zh": "在火车上看书的女人",
		"de": "eine Frau, die im Zug ein Buch liest", "fr": "une femme qui lit un livre dans le train",
		"es": "una mujer leyendo un libro en el tren", "ru": "женщина читает книгу в поезде"}},
	{"mountains with snow at sunset", map[string]string{"ja": "夕焼けの雪山", "zh": "日落时的雪山", "de": "verschneite Berge bei Sonnenuntergang",
		"fr": "des montagnes enneigées au coucher du soleil", "es": "montañas nevadas al atardecer", "ru": "снежные горы на закате"}},
	{"Where did we eat the fish with lemon in 2019?", map[string]string{"ja": "2019年にレモンと魚を食べたのはどこですか。", "zh": "2019年我们在哪里吃的柠檬鱼？",
		"de": "Wo haben wir 2019 den Fisch mit Zitrone gegessen?", "fr": "Où avons-nous mangé le poisson au citron en 2019 ?",
		"es": "¿Dónde comimos el pescado con limón en 2019?", "ru": "Где мы ели рыбу с лимоном в 2019 году?"}},
}

// newSamples are the sentences in the tokens of the model: in its source language, or else English, and as it should write
// them, in its target language, or else English.
func newSamples(source Source) ([]language.Sample, error) {
	config := source.Config().Language
	tokenizer, err := tokenizers.Open(source.ReadFile)
	if err != nil {
		return nil, err
	}
	in := func(s sentence, tag string) string {
		if text, ok := s.others[tag]; ok {
			return text
		}
		return s.english
	}
	most := min(longestSample, config.Positions-1)
	var samples []language.Sample
	for _, s := range sentences {
		samples = append(samples, language.Sample{
			Text:    tokenizer.Encode(in(s, Base(config.From)), most).IDs,
			Written: tokenizer.Encode(in(s, Base(config.To)), most).IDs,
		})
	}
	return samples, nil
}
