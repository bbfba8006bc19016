package catalog

import (
	"slices"
	"time"

	"mekiki/index"
)

// Tags of a record's fields. A tag never changes its meaning.
const (
	recordID = iota + 1
	recordKind
	recordHash
	recordFile
	recordFormat
	recordWidth
	recordHeight
	recordBytes
	recordAdded
	recordMetadata
	recordTag
	recordCaption
	recordText
	recordExternalID
	recordField
	recordPerceptualHash
	recordSequence
	recordDamage
	recordMetadataVersion
	recordOCR
)

const (
	filePath = iota + 1
	fileBytes
	fileModified
	fileInode
	fileName
	fileSidecars
	fileMountLength
	fileRootLength
)

const (
	metadataTaken = iota + 1
	metadataCamera
	metadataLens
	metadataPlace
	metadataTitle
	metadataDescription
	metadataCreator
	metadataCopyright
	metadataKeyword
	metadataLatitude
	metadataLongitude
	metadataOrientation
	metadataTakenOffset
	metadataTakenSource
	metadataPerson
	metadataRating
	metadataLabel
	metadataGeneration
)

const (
	captionText = iota + 1
	captionMatch
	captionModel
	captionPrompt
)

const (
	fieldName = iota + 1
	fieldValue
)

func encodeRecord(e *encoder, r *index.Record) {
	e.uint(recordID, uint64(r.ID))
	e.uint(recordKind, uint64(r.Kind))
	e.bytes(recordHash, r.Hash[:])
	for _, file := range r.Files {
		e.nested(recordFile, func(e *encoder) { encodeFile(e, file) })
	}
	e.text(recordFormat, r.Format)
	e.uint(recordWidth, uint64(r.Width))
	e.uint(recordHeight, uint64(r.Height))
	e.int(recordBytes, r.Bytes)
	e.time(recordAdded, r.Added)
	e.nested(recordMetadata, func(e *encoder) { encodeMetadata(e, &r.Metadata) })
	for _, tag := range r.Tags {
		e.text(recordTag, tag)
	}
	for _, caption := range r.Captions {
		e.nested(recordCaption, func(e *encoder) {
			e.text(captionText, caption.Text)
			e.float32(captionMatch, caption.Match)
			e.text(captionModel, caption.Model)
			e.text(captionPrompt, caption.Prompt)
		})
	}
	e.text(recordText, r.Text)
	e.text(recordExternalID, r.ExternalID)
	for _, name := range SortedKeys(r.Fields) {
		e.nested(recordField, func(e *encoder) {
			e.text(fieldName, name)
			e.text(fieldValue, r.Fields[name])
		})
	}
	e.uint(recordPerceptualHash, r.PerceptualHash)
	e.uint(recordSequence, r.Sequence)
	e.text(recordDamage, r.Damage)
	e.uint(recordMetadataVersion, uint64(r.MetadataVersion))
	if r.OCR != nil {
		e.nested(recordOCR, func(e *encoder) { encodeOCR(e, r.OCR) })
	}
}

// SortedKeys gives a map's keys in order.
func SortedKeys(values map[string]string) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func encodeFile(e *encoder, f index.File) {
	e.text(filePath, f.Path)
	e.int(fileBytes, f.Bytes)
	e.time(fileModified, f.Modified)
	e.uint(fileInode, f.Inode)
	e.text(fileName, f.Name)
	e.uint(fileSidecars, f.Sidecars)
	e.uint(fileMountLength, uint64(f.MountLength))
	e.uint(fileRootLength, uint64(f.RootLength))
}

func encodeMetadata(e *encoder, m *index.Metadata) {
	e.time(metadataTaken, m.Taken)
	e.text(metadataCamera, m.Camera)
	e.text(metadataLens, m.Lens)
	e.text(metadataPlace, m.Place)
	e.text(metadataTitle, m.Title)
	e.text(metadataDescription, m.Description)
	e.text(metadataCreator, m.Creator)
	e.text(metadataCopyright, m.Copyright)
	for _, keyword := range m.Keywords {
		e.text(metadataKeyword, keyword)
	}
	if m.Latitude != nil && m.Longitude != nil {
		e.float64(metadataLatitude, *m.Latitude)
		e.float64(metadataLongitude, *m.Longitude)
	}
	e.uint(metadataOrientation, uint64(m.Orientation))
	if m.TakenOffset != nil {
		e.whole(metadataTakenOffset, int64(*m.TakenOffset/time.Second))
	}
	e.text(metadataTakenSource, m.TakenSource)
	for _, person := range m.People {
		e.text(metadataPerson, person)
	}
	if m.Rating != nil {
		e.whole(metadataRating, int64(*m.Rating))
	}
	e.text(metadataLabel, m.Label)
	e.text(metadataGeneration, m.Generation)
}

// decodeRecord reads a record. Its texts share the memory of data.
func decodeRecord(data string, r *index.Record) error {
	return fields(data, func(tag uint64, value field) error {
		switch tag {
		case recordID:
			return value.uint((*uint64)(&r.ID))
		case recordKind:
			return decodeInto(value, func(v uint64) { r.Kind = index.Kind(v) })
		case recordHash:
			return value.hash(&r.Hash)
		case recordFile:
			file, err := decodeFile(string(value))
			r.Files = append(r.Files, file)
			return err
		case recordFormat:
			return value.text(&r.Format)
		case recordWidth:
			return decodeInto(value, func(v uint64) { r.Width = int(v) })
		case recordHeight:
			return decodeInto(value, func(v uint64) { r.Height = int(v) })
		case recordBytes:
			return value.int(&r.Bytes)
		case recordAdded:
			return value.time(&r.Added)
		case recordMetadata:
			return decodeMetadata(string(value), &r.Metadata)
		case recordTag:
			r.Tags = append(r.Tags, string(value))
		case recordCaption:
			caption, err := decodeCaption(string(value))
			r.Captions = append(r.Captions, caption)
			return err
		case recordText:
			return value.text(&r.Text)
		case recordExternalID:
			return value.text(&r.ExternalID)
		case recordField:
			return decodeField(string(value), r)
		case recordPerceptualHash:
			return value.uint(&r.PerceptualHash)
		case recordSequence:
			return value.uint(&r.Sequence)
		case recordDamage:
			return value.text(&r.Damage)
		case recordMetadataVersion:
			return decodeInto(value, func(v uint64) { r.MetadataVersion = int(v) })
		case recordOCR:
			ocr, err := decodeOCR(string(value))
			r.OCR = ocr
			return err
		}
		return nil
	})
}

// decodeInto reads an unsigned number and hands it over.
func decodeInto(value field, set func(uint64)) error {
	var number uint64
	err := value.uint(&number)
	set(number)
	return err
}

func decodeFile(data string) (index.File, error) {
	var f index.File
	err := fields(data, func(tag uint64, value field) error {
		switch tag {
		case filePath:
			return value.text(&f.Path)
		case fileBytes:
			return value.int(&f.Bytes)
		case fileModified:
			return value.time(&f.Modified)
		case fileInode:
			return value.uint(&f.Inode)
		case fileName:
			return value.text(&f.Name)
		case fileSidecars:
			return value.uint(&f.Sidecars)
		case fileMountLength:
			return decodeInto(value, func(v uint64) { f.MountLength = int(min(v, uint64(len(f.Path)))) })
		case fileRootLength:
			return decodeInto(value, func(v uint64) { f.RootLength = int(min(v, uint64(len(f.Path)))) })
		}
		return nil
	})
	return f, err
}

func decodeMetadata(data string, m *index.Metadata) error {
	return fields(data, func(tag uint64, value field) error {
		switch tag {
		case metadataTaken:
			return value.time(&m.Taken)
		case metadataCamera:
			return value.text(&m.Camera)
		case metadataLens:
			return value.text(&m.Lens)
		case metadataPlace:
			return value.text(&m.Place)
		case metadataTitle:
			return value.text(&m.Title)
		case metadataDescription:
			return value.text(&m.Description)
		case metadataCreator:
			return value.text(&m.Creator)
		case metadataCopyright:
			return value.text(&m.Copyright)
		case metadataKeyword:
			m.Keywords = append(m.Keywords, string(value))
		case metadataLatitude:
			m.Latitude = new(float64)
			return value.float64(m.Latitude)
		case metadataLongitude:
			m.Longitude = new(float64)
			return value.float64(m.Longitude)
		case metadataOrientation:
			return decodeInto(value, func(v uint64) { m.Orientation = int(v) })
		case metadataTakenOffset:
			var seconds int64
			if err := value.int(&seconds); err != nil {
				return err
			}
			offset := time.Duration(max(-maximumOffset, min(seconds, maximumOffset))) * time.Second
			m.TakenOffset = &offset
		case metadataTakenSource:
			return value.text(&m.TakenSource)
		case metadataPerson:
			m.People = append(m.People, string(value))
		case metadataRating:
			var rating int64
			if err := value.int(&rating); err != nil {
				return err
			}
			stars := int(max(-1, min(rating, 5)))
			m.Rating = &stars
		case metadataLabel:
			return value.text(&m.Label)
		case metadataGeneration:
			return value.text(&m.Generation)
		}
		return nil
	})
}

func decodeCaption(data string) (index.Caption, error) {
	var c index.Caption
	err := fields(data, func(tag uint64, value field) error {
		switch tag {
		case captionText:
			return value.text(&c.Text)
		case captionMatch:
			return value.float32(&c.Match)
		case captionModel:
			return value.text(&c.Model)
		case captionPrompt:
			return value.text(&c.Prompt)
		}
		return nil
	})
	return c, err
}

func decodeField(data string, r *index.Record) error {
	var name, text string
	err := fields(data, func(tag uint64, value field) error {
		switch tag {
		case fieldName:
			return value.text(&name)
		case fieldValue:
			return value.text(&text)
		}
		return nil
	})
	if r.Fields == nil {
		r.Fields = map[string]string{}
	}
	r.Fields[name] = text
	return err
}
