package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/checkpoint/weights"
	"mekiki/embed/modelconfig"
	"mekiki/internal/hint"
)

// Remedies for second stages.
const (
	languageFolderRemedy = "give the folder of the language model that it was trained with as well, such as that of google/flan-t5-xl " +
		"or facebook/opt-2.7b, and eva_vit_g.pth; or fetch the whole with mekiki pull, such as mekiki pull blip2-flan-t5-xl"
	borrowRemedy = "a second stage without a vision encoder needs the first stage that it was trained with"
)

// configureSecondStage adds the language model to a configuration, and takes from it what a second stage has not.
func configureSecondStage(ctx context.Context, s *source, held *holdings, fields modelJSON, config *modelconfig.Config) error {
	instructed := or(fields.ModelType, blip2Type) == instructType
	if s.lavis {
		instructed = held.byName[tensors.WordEmbedding] != nil
	}
	model, err := describeLanguage(s, fields, instructed)
	if err != nil {
		return err
	}
	if err := held.settleEmbedding(ctx, &model); err != nil {
		return err
	}
	if err := held.settleHead(ctx, &model); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	if model.Prompts, err = promptsOf(s, instructed, config.Vision.ImageSize == modelconfig.CocoImageSize); err != nil {
		return err
	}
	config.Language, config.ProjectionSize = &model, 0
	if !instructed {
		config.QFormer.VocabularySize, config.QFormer.MaxPositions = 0, 0
	}
	return nil
}

// checkLanguage refuses a LAVIS file that was trained with a language model, which such files never hold, without it.
func (h *holdings) checkLanguage(s *source) error {
	if !s.lavis || s.languageFolder != nil || !h.hasLanguageModel() {
		return nil
	}
	for name := range h.byName {
		if strings.HasPrefix(name, tensors.LanguagePrefix) {
			return nil
		}
	}
	return hint.Wrap(fmt.Errorf("%s is made for a large language model, which it does not hold", s.name), languageFolderRemedy)
}

// describeLanguage reads what the files say of the language model.
func describeLanguage(s *source, fields modelJSON, instructed bool) (modelconfig.Language, error) {
	source := languageSource{text: fields.Text, imageToken: fields.ImageToken, instructed: instructed, lavis: s.lavis}
	if source.imageToken == nil {
		source.imageToken = fields.ImageTokenLater
	}
	folder, name, part := s.folder, s.name, "text_config of "
	if s.lavis && s.languageFolder == nil && fields.Text.ModelType == nil {
		return modelconfig.Language{}, hint.Wrap(fmt.Errorf("%s holds a language model of which nothing is known", s.name), configRemedy)
	}
	if s.languageFolder != nil {
		folder, name, part = s.languageFolder, "the language model's folder", ""
		data, err := readSmall(folder, configFile)
		if err != nil {
			return modelconfig.Language{}, err
		}
		source.text = textJSON{}
		if err := unmarshalLenient(data, &source.text); err != nil {
			return modelconfig.Language{}, fmt.Errorf("%s in %s: %w", configFile, name, err)
		}
	}
	if !s.lavis { // LAVIS has values of its own
		data, err := readSmall(folder, generationFile)
		if ignoreMissing(err) != nil {
			return modelconfig.Language{}, err
		}
		if err == nil {
			if err := unmarshalLenient(data, &source.generation); err != nil {
				return modelconfig.Language{}, fmt.Errorf("%s in %s: %w", generationFile, name, err)
			}
		}
	}
	model, err := source.language()
	if err == nil {
		err = errors.Join(model.ValidateSizes(), model.ValidateNumbers())
	}
	if err != nil {
		return modelconfig.Language{}, fmt.Errorf("%s%s in %s: %w", part, configFile, name, err)
	}
	return model, nil
}

// embeddingAliases are further names under which files hold the token embedding, after tensors.LanguagePrefix.
var embeddingAliases = map[string][]string{
	modelconfig.T5:     {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight"},
	modelconfig.Marian: {"model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"},
}

// settleEmbedding gives the token embedding of a model with an encoder its one name: files hold it under up to three.
func (h *holdings) settleEmbedding(ctx context.Context, model *modelconfig.Language) error {
	name := tensors.LanguageEmbedding(*model)
	for _, alias := range embeddingAliases[model.Architecture] {
		alias = tensors.LanguagePrefix + alias
		stored := h.byName[alias]
		if stored == nil {
			continue
		}
		h.drop(alias)
		first := h.byName[name]
		if first == nil {
			if err := h.add(name, stored); err != nil {
				return err
			}
			continue
		}
		same, err := weights.Equal(ctx, first, stored)
		if err != nil {
			return err
		}
		if !same {
			return hint.Wrap(fmt.Errorf("%s in %s differs from %s in %s, which must be the same token embedding",
				stored.Name, stored.Source, first.Name, first.Source), weights.FetchRemedy)
		}
	}
	return nil
}

// settleHead decides whether the head is the token embedding. One that is stored apart and equal is dropped. One that
// differs is the model's own: T5's always, and then its output is not scaled; the others' if the configuration says so.
func (h *holdings) settleHead(ctx context.Context, model *modelconfig.Language) error {
	head, embedding := h.byName[tensors.LanguageHead], h.byName[tensors.LanguageEmbedding(*model)]
	if head == nil || embedding == nil {
		return nil // what the configuration says
	}
	same, err := weights.Equal(ctx, head, embedding)
	switch {
	case err != nil:
		return err
	case same:
		h.drop(tensors.LanguageHead)
		model.Tied = true
	case model.Architecture == modelconfig.T5:
		model.Tied, model.ScaleOutput = false, false
	case model.Tied:
		return hint.Wrap(fmt.Errorf("%s in %s differs from the token embedding, which %s says is the head", head.Name, head.Source, configFile),
			"if the head is right, set tie_word_embeddings to false under text_config; otherwise "+weights.FetchRemedy)
	}
	return nil
}

// promptsOf returns the texts that the authors used, or those of a prompts.json beside the weights.
func promptsOf(s *source, instructed, coco bool) (modelconfig.Prompts, error) {
	prompts := modelconfig.PublishedPrompts(instructed, coco)
	data, err := readSmall(s.folder, promptsFile)
	if err != nil {
		return prompts, ignoreMissing(err)
	}
	if err := unmarshalLenient(data, &prompts); err != nil {
		return prompts, fmt.Errorf("%s in %s: %w", promptsFile, s.name, err)
	}
	if err := prompts.Validate(); err != nil {
		return prompts, fmt.Errorf("%s in %s: %w", promptsFile, s.name, err)
	}
	return prompts, nil
}

// hasVision reports whether the files hold a vision encoder, its last normalisation aside.
func (h *holdings) hasVision() bool {
	for name := range h.byName {
		if tensors.OfVisionEncoder(name) {
			return true
		}
	}
	return false
}

// borrowVision takes the vision encoder of another checkpoint if the files hold none.
func borrowVision(held *holdings, fields modelJSON, config *modelconfig.Config) error {
	if held.hasVision() {
		held.borrowed = nil
		return nil
	}
	lent := held.borrowed.config
	stated, taken := config.Vision, lent.Vision
	if fields.Vision != (visionJSON{}) {
		stated.FinalLayerNormEpsilon, stated.PreLayerNorm, stated.PatchBias = taken.FinalLayerNormEpsilon, taken.PreLayerNorm, taken.PatchBias
		if stated != taken {
			return hint.Wrap(fmt.Errorf("it was trained with another vision encoder (%+v) than that of %s (%+v)", stated, lent.Name, taken), borrowRemedy)
		}
	}
	epsilon := config.Vision.FinalLayerNormEpsilon
	config.Vision, config.Preprocess = taken, lent.Preprocess
	if held.byName["vision_model.post_layernorm.weight"] != nil {
		config.Vision.FinalLayerNormEpsilon = epsilon
	}
	return nil
}

// secondStageRemedy recognises what a second stage's files lack, or returns "".
func secondStageRemedy(s *source, mismatch *MismatchError) string {
	lacks := func(prefix string) bool {
		for _, name := range mismatch.Missing {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
		return false
	}
	switch {
	case s.lavis && lacks("vision_model.embeddings."):
		return visionFileRemedy
	case lacks("vision_model.embeddings."):
		return borrowRemedy
	}
	return ""
}
