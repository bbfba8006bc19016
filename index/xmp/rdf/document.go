package rdf

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// Space is the namespace of RDF, and xmlSpace that of xml:lang.
const (
	Space    = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
	xmlSpace = "http://www.w3.org/XML/1998/namespace"
	metaTag  = "x:xmpmeta"
)

// ErrRefused says that a document is not one that can be changed without harm; the error that wraps it says why.
var ErrRefused = errors.New("the sidecar is left as it is")

// byteOrderMark is what some programs begin UTF-8 with.
var byteOrderMark = []byte("\xEF\xBB\xBF")

// Document is the XMP of one picture. Make it with [New] or [Parse]. It is not safe for concurrent use.
type Document struct {
	tree   *etree.Document
	rdf    *etree.Element
	marked bool // it began with a byte order mark
}

// New makes a document without properties.
func New() *Document {
	tree := etree.NewDocument()
	tree.CreateProcInst("xpacket", "begin=\"\uFEFF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"")
	tree.CreateText("\n")
	meta := tree.CreateElement(metaTag)
	meta.CreateAttr("xmlns:x", "adobe:ns:meta/")
	meta.CreateAttr("x:xmptk", "Mekiki")
	meta.CreateText("\n ")
	root := meta.CreateElement("rdf:RDF")
	root.CreateAttr("xmlns:rdf", Space)
	meta.CreateText("\n")
	tree.CreateText("\n")
	tree.CreateProcInst("xpacket", `end="w"`)
	tree.CreateText("\n")
	return &Document{tree: tree, rdf: root}
}

// Parse reads a document. One that is not whole, well-formed UTF-8 with one rdf:RDF is refused with [ErrRefused]: to write
// it again would lose something.
func Parse(data []byte) (*Document, error) {
	if len(data) > MaximumBytes {
		return nil, fmt.Errorf("%w: it has more than %d MiB", ErrRefused, MaximumBytes>>20)
	}
	d := &Document{tree: etree.NewDocument(), marked: bytes.HasPrefix(data, byteOrderMark)}
	data = bytes.TrimPrefix(data, byteOrderMark)
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%w: it is not UTF-8", ErrRefused)
	}
	if err := check(data); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	d.tree.ReadSettings.PreserveCData = true
	d.tree.ReadSettings.MaxDepth = maximumDepth + 2
	if err := d.tree.ReadFromBytes(data); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	root, err := findRDF(d.tree.Root())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	d.rdf = root
	return d, nil
}

// Bytes gives the document as it is written.
func (d *Document) Bytes() ([]byte, error) {
	// In attributes, line ends and tabs are written as references: as they are, a reader makes blanks of them.
	d.tree.WriteSettings.CanonicalAttrVal, d.tree.WriteSettings.CanonicalText = true, true
	data, err := d.tree.WriteToBytes()
	if err != nil {
		return nil, fmt.Errorf("write the sidecar: %w", err)
	}
	if d.marked {
		data = append(bytes.Clone(byteOrderMark), data...)
	}
	if len(data) > MaximumBytes {
		return nil, fmt.Errorf("%w: it would have more than %d MiB", ErrRefused, MaximumBytes>>20)
	}
	return data, nil
}

// check goes through a document and refuses what is not well-formed, or too much.
func check(data []byte) error {
	decoder := xml.NewDecoder(bytes.NewReader(data))
	decoder.CharsetReader = func(charset string, input io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("it says that it is written in %.40q, not in UTF-8", charset)
	}
	nodes, depth, roots := 0, 0, 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("it is not well-formed: %w", err)
		}
		nodes++
		switch token := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
			nodes += len(token.Attr)
			if twice := duplicate(token.Attr); twice != "" {
				return fmt.Errorf("it is not well-formed: an element has the attribute %.40q twice", twice)
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(token)) > 0 {
				return errors.New("it is not well-formed: text stands outside its elements")
			}
		case xml.Directive:
			return errors.New("it declares a document type, or entities")
		}
		if nodes > maximumNodes || depth > maximumDepth {
			return fmt.Errorf("it has more than %d parts, or more than %d levels", maximumNodes, maximumDepth)
		}
	}
	if roots != 1 {
		return fmt.Errorf("it is not well-formed: it has %d elements at its top", roots)
	}
	return nil
}

func duplicate(attributes []xml.Attr) string {
	if len(attributes) < 2 {
		return ""
	}
	seen := make(map[xml.Name]bool, len(attributes))
	for _, attribute := range attributes {
		if seen[attribute.Name] {
			return attribute.Name.Local
		}
		seen[attribute.Name] = true
	}
	return ""
}

// findRDF finds the one rdf:RDF, and refuses prefixes that nothing declares.
func findRDF(root *etree.Element) (*etree.Element, error) {
	var found []*etree.Element
	pending := []*etree.Element{root}
	for len(pending) > 0 {
		at := pending[len(pending)-1]
		pending = append(pending[:len(pending)-1], at.ChildElements()...)
		if is(at, Space, "RDF") {
			found = append(found, at)
		}
		prefixes := []string{at.Space}
		for i := range at.Attr {
			prefixes = append(prefixes, at.Attr[i].Space)
		}
		for _, prefix := range prefixes {
			if prefix != "" && prefix != "xml" && prefix != "xmlns" && spaceOf(at, prefix) == "" {
				return nil, fmt.Errorf("nothing declares its prefix %.40q", prefix)
			}
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("it has %d elements rdf:RDF, not one", len(found))
	}
	return found[0], nil
}

// spaceOf gives the namespace that a prefix, or "" for none, stands for at an element.
func spaceOf(element *etree.Element, prefix string) string {
	if prefix == "xml" {
		return xmlSpace
	}
	for ; element != nil; element = element.Parent() {
		for i := range element.Attr {
			attribute := &element.Attr[i]
			if prefix != "" && attribute.Space == "xmlns" && attribute.Key == prefix || prefix == "" && attribute.Space == "" && attribute.Key == "xmlns" {
				return attribute.Value
			}
		}
	}
	return ""
}

// is reports whether an element has a name.
func is(element *etree.Element, space, local string) bool {
	return element.Tag == local && spaceOf(element, element.Space) == space
}

// attribute gives an element's attribute of a name, or nil.
func attribute(element *etree.Element, space, local string) *etree.Attr {
	for i := range element.Attr {
		if a := &element.Attr[i]; a.Key == local && a.Space != "" && a.Space != "xmlns" && spaceOf(element, a.Space) == space {
			return a
		}
	}
	return nil
}

// prefixAt gives a prefix that stands for a namespace at an element; where there is none it is declared there, under the
// usual name or one like it.
func prefixAt(element *etree.Element, space, usual string) string {
	for at := element; at != nil; at = at.Parent() {
		for i := range at.Attr {
			if a := &at.Attr[i]; a.Space == "xmlns" && a.Value == space && spaceOf(element, a.Key) == space {
				return a.Key
			}
		}
	}
	prefix := usual
	for number := 2; spaceOf(element, prefix) != ""; number++ {
		prefix = fmt.Sprint(usual, number)
	}
	element.CreateAttr("xmlns:"+prefix, space)
	return prefix
}

// join makes a tag of a prefix, which may be "", and a name.
func join(prefix, local string) string { return strings.TrimPrefix(prefix+":"+local, ":") }
