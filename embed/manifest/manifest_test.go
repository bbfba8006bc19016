package manifest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"mekiki/embed/modelconfig"
)

// described is the manifest of a model with these files.
func described(files ...string) Manifest {
	m := Manifest{Format: currentFormat, Precision: Float32, Config: modelconfig.PublishedConfig(224)}
	for _, name := range files {
		m.Files = append(m.Files, File{Name: name})
	}
	m.HasCaptionHead = slices.Contains(files, CaptionStepFile)
	m.Fingerprint = m.fingerprint()
	return m
}

// TestCapabilities wants what a model can do, and which files it must have, to follow from its graphs.
func TestCapabilities(t *testing.T) {
	embeds := []string{VisionFile, ImagePartsFile, TextFile}
	for _, test := range []struct {
		files []string
		can   string // "" for a manifest that is refused
	}{
		{embeds, "embed images, embed texts"},
		{slices.Concat(embeds, matchGraphs), "embed images, embed texts, match"},
		{slices.Concat(embeds, captionGraphs), "embed images, embed texts, caption"},
		{slices.Concat(embeds, matchGraphs, captionGraphs), "embed images, embed texts, match, caption"},
		{slices.Concat(embeds, matchGraphs[:2]), ""},
		{slices.Concat(embeds, captionGraphs[1:]), ""},
		{embeds[:2], ""},
		{embeds[1:], ""},
	} {
		m := described(test.files...)
		err := m.Validate()
		if (err == nil) != (test.can != "") || err == nil && m.Capabilities().String() != test.can {
			t.Errorf("%v: %s, %v; want %q", test.files, m.Capabilities(), err, test.can)
		}
		if err != nil && !strings.Contains(err.Error(), "is not listed") {
			t.Errorf("%v: %v", test.files, err)
		}
	}
}

// TestSecondStage wants a model with a language model to need what answers, and no vision encoder.
func TestSecondStage(t *testing.T) {
	for _, test := range []struct {
		architecture string
		files        []string
		good         bool
	}{
		{modelconfig.OPT, answerGraphs, true},
		{modelconfig.OPT, append([]string{VisionFile}, answerGraphs...), true},
		{modelconfig.OPT, answerGraphs[1:], false},
		{modelconfig.T5, answerGraphs, false},
		{modelconfig.T5, append([]string{LanguageEncodeFile}, answerGraphs...), true},
		{modelconfig.OPT, []string{VisionFile, ImagePartsFile, TextFile}, false},
	} {
		m := described(test.files...)
		m.Config.Language = &modelconfig.Language{Architecture: test.architecture}
		missing := m.missingFiles()
		if (len(missing) == 0) != test.good || m.Capabilities().Answer != test.good {
			t.Errorf("%s with %v: %v, %v", test.architecture, test.files, missing, m.Capabilities())
		}
	}
}

// TestVisionAndFingerprint wants the vision encoder's hash to leave the fingerprint as it was.
func TestVisionAndFingerprint(t *testing.T) {
	m := described(VisionFile, ImagePartsFile, TextFile)
	const earlier = "b8a21ed9d5dc1573f01d7727371846030115b6457329c68ced51490eade55d93"
	if m.Fingerprint != earlier {
		t.Errorf("fingerprint is %s, and was %s in earlier versions", m.Fingerprint, earlier)
	}
	m.Vision = "other"
	if m.fingerprint() != earlier {
		t.Error("the vision encoder's hash changes the fingerprint")
	}
}

// TestFamily wants a manifest without a family to be of the first one and to keep its fingerprint, and an unknown family to
// be named.
func TestFamily(t *testing.T) {
	families := []Family{{Name: "other"}, {Name: FirstFamily}}
	earlier := described(VisionFile, ImagePartsFile, TextFile)
	named := earlier
	named.Family = FirstFamily
	for _, m := range []Manifest{earlier, named} {
		if family, err := m.FamilyOf(families); err != nil || family.Name != FirstFamily {
			t.Errorf("family %q: %q, %v", m.Family, family.Name, err)
		}
		if err := m.Validate(); err != nil {
			t.Errorf("family %q: %v", m.Family, err)
		}
	}
	named.Family = "later"
	if _, err := named.FamilyOf(families); !errors.Is(err, ErrUnknownFamily) || !strings.Contains(err.Error(), `"later"`) {
		t.Errorf("an unknown family: %v", err)
	}
}
