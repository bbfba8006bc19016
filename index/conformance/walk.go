package conformance

import (
	"crypto/sha256"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/indextest"
)

// testRandomWalk makes random changes of every kind. After each a new reader equals the
// model; readers of earlier commits go on equalling the model of theirs.
func testRandomWalk(p *pair) {
	steps := 300 * indextest.Scale(p.t)
	if testing.Short() {
		steps = 100
	}
	if p.differences.Steps > 0 {
		steps = p.differences.Steps * indextest.Scale(p.t)
	}
	type past struct {
		index.Reader
		*model
	}
	var pasts []past
	letGo := func(at int) {
		p.checkPast(pasts[at].model, pasts[at].Reader)
		indextest.Must(p.t, pasts[at].Close())
		pasts = slices.Delete(pasts, at, at+1)
	}
	for step := range steps {
		p.step()
		pasts = append(pasts, past{p.open(), p.clone()})
		if len(pasts) > 3 {
			letGo(p.random.IntN(len(pasts)))
		}
		for step%20 == 19 && len(pasts) > 0 {
			letGo(0)
		}
	}
}

// step makes one change.
func (p *pair) step() {
	beside := other
	if p.serving == other {
		beside = indextest.Small
	}
	switch has := slices.Contains(p.spaces, beside); p.random.IntN(24) {
	case 0, 1:
		p.addSpace(pick(p.random, indextest.Small, other))
	case 2:
		if has {
			p.serve(beside)
		}
	case 3:
		if p.previous.Width > 0 {
			p.rollBack()
		}
	case 4:
		if has {
			p.dropSpace(beside)
		}
	case 5, 6:
		p.refused(p.spoiled(p.randomBatch()))
	default:
		p.write(p.randomBatch())
	}
}

// randomBatch makes a batch that is valid for the model.
func (p *pair) randomBatch() (batch index.Batch) {
	random := p.random
	for range 1 + random.IntN(4) {
		batch.Puts = append(batch.Puts, p.randomPut())
	}
	if random.IntN(3) > 0 {
		batch.Puts = nil // so that what follows meets records that are there
	}
	for range random.IntN(3) {
		batch.Detach = append(batch.Detach, randomFile(random).Path)
		batch.Final = random.IntN(4) == 0
	}
	for range random.IntN(2) {
		batch.Failures = append(batch.Failures, index.Failure{File: randomFile(random), Reason: pick(random, "too large", "not a picture"), Time: indextest.Time})
		batch.Resolved = append(batch.Resolved, randomFile(random).Path)
	}
	for range random.IntN(2) {
		batch.SaveSearches = append(batch.SaveSearches, index.SavedSearch{Name: pick(random, "Cats", "cats", "Day 1"), Query: pick(random, "q=cat", "q=dog")})
		batch.DropSearches = append(batch.DropSearches, pick(random, "CATS", "day 1", "none"))
	}
	var lasting []index.ID // records that are there whatever is put and detached
	for _, id := range p.ids() {
		if p.records[id].Kind == index.KindText {
			lasting = append(lasting, id)
		}
	}
	if len(batch.Puts)+len(batch.Detach) == 0 {
		lasting = p.ids()
		if random.IntN(3) == 0 && len(lasting) > 0 {
			batch.Attach = append(batch.Attach, index.Attach{ID: pick(random, lasting...), File: randomFile(random), First: random.IntN(2) == 0})
			lasting = []index.ID{batch.Attach[0].ID}
		}
	}
	for range random.IntN(3) {
		if len(lasting) == 0 {
			break
		}
		id := pick(random, lasting...)
		caption := index.Caption{Text: "a " + pick(random, vocabulary...) + " at night", Match: 0.75, Model: "model-b"}
		switch random.IntN(10) {
		case 9:
			if p.records[id].Kind == index.KindImage {
				batch.OCR = append(batch.OCR, index.OCRChange{ID: id, OCR: randomOCR(random)})
			}
		case 6, 7, 8:
			batch.Given = append(batch.Given, randomGiven(random, id))
		case 0:
			batch.Tags = append(batch.Tags, index.TagChange{ID: id, Add: []string{pick(random, vocabulary...), "Later"}, Remove: []string{pick(random, "TEST", "later", "cat")}, Exactly: random.IntN(3) == 0})
		case 1:
			batch.Captions = append(batch.Captions, index.CaptionChange{ID: id, Captions: []index.Caption{caption, {Text: "an elephant", Match: -1}}[:random.IntN(3)]})
		case 2:
			batch.Metadata = append(batch.Metadata, index.MetadataChange{ID: id, Metadata: randomMetadata(random), Version: random.IntN(9)})
		case 3:
			batch.Remove = append(batch.Remove, id, p.last+50)
		default:
			if len(p.spaces) > 0 {
				vectors := p.randomVectors(p.records[id].Kind)
				vectors.ID = id
				batch.Vectors = append(batch.Vectors, vectors)
			}
		}
	}
	return batch
}

// spoiled adds to a batch what makes it invalid, and gives the error that must be.
func (p *pair) spoiled(batch index.Batch) (index.Batch, error) {
	none, put, err := p.last+100, p.image(1000), error(nil)
	put.Vectors = index.Vectors{}
	switch p.random.IntN(15) {
	case 13:
		batch.OCR, err = append(batch.OCR, index.OCRChange{ID: none}), index.ErrNotFound
	case 14:
		put.Record.OCR = &index.OCR{Model: "m", Lines: []index.OCRLine{{Text: "", Score: 1}}}
	case 10:
		batch.Given, err = append(batch.Given, index.GivenChange{ID: none}), index.ErrNotFound
	case 11:
		if len(p.ids()) == 0 {
			put.Record.Kind = 9
			break
		}
		stars := 6
		batch.Puts, batch.Detach, batch.Remove, batch.Attach = nil, nil, nil, nil
		batch.Given = append(batch.Given, index.GivenChange{ID: p.ids()[0], Set: index.GivenRating, To: index.Given{Rating: &stars}})
	case 12:
		batch.SaveSearches = append(batch.SaveSearches, index.SavedSearch{Name: "", Query: "q=x"})

	case 0:
		put.Record.Hash = index.Hash{}
	case 1:
		put.Record.Kind = 9
	case 2:
		put.Record.Files[0].Path = "relative.jpg"
	case 3:
		put.Vectors, err = index.Vectors{Space: embed.Space{Fingerprint: "unknown", Parts: 1, Width: 4}, Parts: indextest.Unit(1, 1, 4)}, index.ErrSpace
	case 4:
		put.Vectors, err = index.Vectors{Space: indextest.Small, Parts: indextest.Unit(1, 1, 4)}, index.ErrSpace
	case 5:
		batch.Attach, err = append(batch.Attach, index.Attach{ID: none, File: indextest.File(1000)}), index.ErrNotFound
	case 6:
		batch.Vectors, err = append(batch.Vectors, index.Vectors{ID: none, Space: indextest.Small, Parts: indextest.Unit(1, 3, 8)}), index.ErrNotFound
	case 7:
		batch.Captions, err = append(batch.Captions, index.CaptionChange{ID: none}), index.ErrNotFound
	case 8:
		batch.Metadata, err = append(batch.Metadata, index.MetadataChange{ID: none}), index.ErrNotFound
	default:
		batch.Tags, err = append(batch.Tags, index.TagChange{ID: none, Add: []string{"x"}}), index.ErrNotFound
	}
	batch.Puts = append(batch.Puts, put)
	return batch, err
}

func randomFile(random *rand.Rand) index.File {
	folder := pick(random, "/photos/2026", "/photos/Italy 2019/Day 3", "/scans")
	file := indextest.File(random.Uint64N(8))
	file.Path = filepath.FromSlash(folder + "/" + filepath.Base(file.Path))
	file.Modified = file.Modified.AddDate(random.IntN(3), 0, 0)
	file.Name = pick(random, "", "", "Trip/IMG.jpg")
	return file
}

func randomMetadata(random *rand.Rand) index.Metadata {
	offset, rating, latitude, longitude := time.Duration(random.IntN(20)-10)*time.Hour, random.IntN(7)-1, float64(random.IntN(20))/100, 10.0
	return index.Metadata{
		Taken:       pick(random, time.Time{}, indextest.Time.AddDate(0, 0, random.IntN(9))),
		TakenOffset: pick(random, nil, &offset), Rating: pick(random, nil, &rating),
		Camera: pick(random, "", "Canon EOS R5", "NIKON Z 6"), Lens: pick(random, "", "50mm"),
		Title: pick(random, "", "lantern"), Keywords: pick(random, nil, []string{"Places/Japan/Kyoto"}, []string{"tree", "Test"}),
		People: pick(random, nil, []string{"Ada Lovelace", "Bo"}), Label: pick(random, "", "Red"),
		Latitude: &latitude, Longitude: &longitude, Orientation: random.IntN(9),
	}
}

// randomOCR is what a picture may say; nil while nobody has read it.
func randomOCR(random *rand.Rand) *index.OCR {
	if random.IntN(5) == 0 {
		return nil
	}
	read := &index.OCR{Model: "reader"}
	for y := range random.IntN(3) {
		read.Lines = append(read.Lines, index.OCRLine{
			Text: pick(random, "KA-7731-XY", "Platform 9, gate B12", "Café "+pick(random, vocabulary...), "出口 EXIT"), Score: float32(random.IntN(9)) / 8,
			Corners: [4]index.Pixel{{X: 4, Y: 30 * y}, {X: 90 + random.IntN(9), Y: 30 * y}, {X: 99, Y: 30*y + 20}, {X: 4, Y: 30*y + 20}},
		})
	}
	return read
}

// randomGiven changes some of what people give a record.
func randomGiven(random *rand.Rand, id index.ID) index.GivenChange {
	rating := random.IntN(6)
	return index.GivenChange{
		ID: id, Set: index.GivenMembers(random.IntN(512)),
		To: index.Given{
			Rating: pick(random, nil, &rating), Favourite: random.IntN(2) == 0, Title: pick(random, "", "a river", "tree"),
			Date: pick(random, time.Time{}, indextest.Time.AddDate(0, 0, random.IntN(9))), Hidden: random.IntN(4) == 0,
			Collections: pick(random, nil, []string{"Best"}, []string{"Trips", " Best "}), Trashed: pick(random, time.Time{}, time.Time{}, indextest.Time),
			Description: pick(random, "", "under the old lantern"), People: pick(random, nil, []string{"Ada Lovelace"}, []string{"Zoe", "bo"}),
		},
		AddCollections: pick(random, nil, []string{"Rome", "Best"}), RemoveCollections: pick(random, nil, []string{"best"}), AddPeople: pick(random, nil, []string{"Zoe"}), RemovePeople: pick(random, nil, nil, []string{"BO"}),
	}
}

func (p *pair) randomVectors(kind index.Kind) index.Vectors {
	random := p.random
	space, seed := pick(random, p.spaces...), random.Uint64N(50)
	vectors := index.Vectors{Space: space, Parts: indextest.Unit(seed, space.Parts, space.Width)}
	if kind == index.KindText {
		vectors.Parts = indextest.Unit(seed, 1, space.Width)
	} else if random.IntN(2) == 0 {
		vectors.Tokens = indextest.Tokens(p.t, seed)
	}
	return vectors
}

func (p *pair) randomPut() index.Put {
	random := p.random
	number := random.Uint64N(30)
	put := p.image(number)
	r := &put.Record
	put.Vectors, put.Thumbnail = index.Vectors{}, nil
	if random.IntN(3) == 0 {
		text, external := "the "+pick(random, vocabulary...)+" of "+pick(random, vocabulary...), pick(random, "", "one", "two")
		put.Record = index.Record{
			Kind: index.KindText, Hash: sha256.Sum256([]byte(external + "\x00" + text)), Text: text, ExternalID: external,
			Bytes: int64(len(text)), Fields: map[string]string{"shelf": "seven"}, Tags: pick(random, nil, []string{"test"}),
		}
	} else {
		r.Files = nil
		for range random.IntN(3) {
			r.Files = append(r.Files, randomFile(random))
		}
		r.Metadata, r.Format = randomMetadata(random), string(pick(random, pixels.Formats()...))
		r.Tags = pick(random, nil, r.Tags, []string{"cat", "Rome", "cat"})
		if random.IntN(3) == 0 {
			r.Captions = nil
		}
		if random.IntN(4) == 0 {
			put.Replaces = p.image(random.Uint64N(30)).Record.Hash
		}
	}
	if len(p.spaces) > 0 && random.IntN(4) > 0 {
		put.Vectors = p.randomVectors(put.Record.Kind)
	}
	return put
}

// randomFilter sets none to two of the fields.
func (m *model) randomFilter(random *rand.Rand) (f index.Filter) {
	moment := indextest.Time.AddDate(0, 0, random.IntN(9)).In(time.FixedZone("", 3600*random.IntN(9)))
	for range random.IntN(3) {
		switch random.IntN(16) {
		case 15:
			f.OCR = append(f.OCR, pick(random, "7731", "ka 7731", "gate b12 café", "cafe", "EXIT", "口ex", "zeppelin"))
		case 12:
			f.Collections = append(f.Collections, pick(random, "best", "TRIPS", "moon"))
		case 13:
			f.Favourite = new(bool)
			*f.Favourite = random.IntN(2) == 0
		case 14:
			f.Hidden, f.Trash = index.Choice(random.IntN(3)), index.Choice(random.IntN(3))
		case 0:
			f.Kinds = append(f.Kinds, pick(random, index.KindImage, index.KindText))
		case 1:
			f.Folders = append(f.Folders, pick(random, "ital", "/photos/Italy 2019", "/photos", "scans", "trip", "nowhere"))
		case 2:
			f.After, f.AfterZoned = moment, random.IntN(2) == 0
		case 3:
			f.Before, f.BeforeZoned = moment.AddDate(pick(random, 0, 1), 0, 0), random.IntN(2) == 0
		case 4:
			f.Taken = new(bool)
			*f.Taken = random.IntN(2) == 0
		case 5:
			f.Cameras = append(f.Cameras, pick(random, "canon", "NIKON z", "50MM", "leica"))
		case 6:
			f.Tags = append(f.Tags, pick(random, "test", "KYOTO", "places/japan", "rome", "moon"))
		case 7:
			f.People = append(f.People, pick(random, "love", "ada l", "zoe"))
		case 8:
			f.Ratings = append(f.Ratings, index.RatingRange{Least: random.IntN(6), Most: 5, Unrated: random.IntN(3) == 0})
		case 9:
			f.Formats = append(f.Formats, string(pick(random, pixels.Formats()...)))
		case 10:
			f.Sizes = append(f.Sizes, index.SizeRange{Least: int64(random.IntN(2000)), Below: int64(2000 + random.IntN(4_000_000))})
		case 11:
			if f.Near = &(index.Near{Latitude: 0.05, Longitude: 10, Kilometres: float64(1 + random.IntN(10))}); random.IntN(2) == 0 {
				f.Near, f.IDs = nil, m.asked(random)[:3]
			}
		}
	}
	return f
}
