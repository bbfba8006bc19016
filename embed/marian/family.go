package marian

import (
	"errors"

	"mekiki/embed/language"
	"mekiki/embed/manifest"
	"mekiki/embed/tokenize"
	tokenizers "mekiki/embed/tokenize/language"
)

// familyName is what manifests call the family.
const familyName = "marian"

// Family is Marian for those who run its models.
func Family() manifest.Family {
	return manifest.Family{
		Name: familyName,
		Tokenizer: func(func(name string) ([]byte, error)) (tokenize.Tokenizer, error) {
			return nil, errors.New("a model that translates has no Q-Former")
		},
		Language: func(read func(name string) ([]byte, error)) (tokenize.Language, error) { return tokenizers.Open(read) },
		Describe: func(model manifest.Manifest) manifest.Description {
			config := model.Config.Language
			return manifest.Description{
				Graphs: language.Signatures(*config), MaximumTokens: config.Positions,
				Language: &manifest.Language{Positions: config.Positions},
			}
		},
		Shares: func(manifest.Manifest) []manifest.Share { return nil },
	}
}
