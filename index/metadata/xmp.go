package metadata

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// xmp is what XMP packets say: a tree of properties, whose names have the prefixes that
// the standards use, whatever the packet calls them.
type xmp struct {
	root  node
	count int // of nodes
	bytes int // of packets
}

// node is a property, a field of a structure or an element of a list.
type node struct {
	name, language string
	text           []byte
	children       []*node
}

const rdfSpace = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

// prefixOf gives the usual prefix of a namespace. A packet that lacks its declarations
// has prefixes only, which then stand for themselves.
func prefixOf(space string) string {
	switch strings.TrimRight(space, "/#") {
	case strings.TrimRight(rdfSpace, "#"):
		return "rdf"
	case "http://purl.org/dc/elements/1.1", "http://purl.org/dc/1.1":
		return "dc"
	case "http://ns.adobe.com/xap/1.0":
		return "xmp"
	case "http://ns.adobe.com/photoshop/1.0":
		return "photoshop"
	case "http://ns.adobe.com/exif/1.0":
		return "exif"
	case "http://cipa.jp/exif/1.0":
		return "exifEX"
	case "http://ns.adobe.com/exif/1.0/aux":
		return "aux"
	case "http://ns.adobe.com/tiff/1.0":
		return "tiff"
	case "http://ns.adobe.com/lightroom/1.0":
		return "lr"
	case "http://www.digikam.org/ns/1.0":
		return "digiKam"
	case "http://ns.microsoft.com/photo/1.0":
		return "MicrosoftPhoto"
	case "http://ns.microsoft.com/photo/1.2":
		return "MP"
	case "http://ns.microsoft.com/photo/1.2/t/RegionInfo":
		return "MPRI"
	case "http://ns.microsoft.com/photo/1.2/t/Region":
		return "MPReg"
	case "http://www.metadataworkinggroup.com/schemas/regions":
		return "mwg-rs"
	case "http://www.metadataworkinggroup.com/schemas/keywords":
		return "mwg-kw"
	case "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns":
		return "Iptc4xmpCore"
	case "http://iptc.org/std/Iptc4xmpExt/2008-02-29", "http://iptc.org/std/Iptc4xmpExt/2008-02-19":
		return "Iptc4xmpExt"
	case "http://ns.iview-multimedia.com/mediapro/1.0", "http://ns.iview-ms.com/mediapro/1.0":
		return "mediapro"
	case "http://ns.acdsee.com/iptc/1.0":
		return "acdsee"
	case "http://darktable.sf.net":
		return "darktable"
	case "http://mekiki/ns/sidecar/1.0":
		return "mekiki"
	case "http://www.w3.org/XML/1998/namespace", "xml":
		return "xml"
	}
	return space
}

// read takes in a packet. What comes before something that is not well-formed counts.
func (x *xmp) read(packet []byte) {
	packet = packet[:min(len(packet), maxBlockBytes-x.bytes)]
	x.bytes += len(packet)
	packet = xmlText(packet)
	decoder := xml.NewDecoder(bytes.NewReader(packet))
	decoder.Strict = false
	decoder.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil }
	var stack []*node
	inside := 0 // elements within rdf:RDF
	for x.count < maxNodes {
		token, err := decoder.Token()
		if err != nil {
			return
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := prefixOf(token.Name.Space) + ":" + token.Name.Local
			if inside == 0 {
				if token.Name.Local == "RDF" {
					inside, stack = 1, []*node{&x.root}
				}
				continue
			}
			if len(stack) >= maxDepth {
				return
			}
			stack = append(stack, x.open(stack[len(stack)-1], name, token.Attr))
			inside++
		case xml.EndElement:
			if inside > 0 {
				inside--
				stack = stack[:len(stack)-1]
			}
		case xml.CharData:
			if inside > 1 {
				if last := stack[len(stack)-1]; len(last.text)+len(token) <= maxTextBytes {
					last.text = append(last.text, token...)
				}
			}
		}
	}
}

// open adds an element below another, and its attributes as properties. The elements
// rdf:Description and rdf:value say nothing themselves: what is in them is of the
// element around them.
func (x *xmp) open(parent *node, name string, attributes []xml.Attr) *node {
	added := parent
	if name != "rdf:Description" && name != "rdf:value" {
		added = &node{name: name}
		parent.children = append(parent.children, added)
		x.count++
	}
	for _, attribute := range attributes {
		name := prefixOf(attribute.Name.Space) + ":" + attribute.Name.Local
		switch {
		case name == "xml:lang":
			added.language = attribute.Value
		case name == "rdf:resource" || name == "rdf:value":
			added.text = []byte(attribute.Value)
		case attribute.Name.Space == "" || strings.HasPrefix(name, "rdf:") || strings.HasPrefix(name, "xml") && !strings.HasPrefix(name, "xmp"):
		case len(attribute.Value) <= maxTextBytes && x.count < maxNodes:
			added.children = append(added.children, &node{name: name, text: []byte(attribute.Value)})
			x.count++
		}
	}
	return added
}

// xmlText gives a packet as UTF-8 without what XML does not allow: a byte order mark,
// padding of zeros, control characters.
func xmlText(packet []byte) []byte {
	switch {
	case bytes.HasPrefix(packet, []byte{0xFE, 0xFF}), bytes.HasPrefix(packet, []byte{0, '<', 0}):
		packet = fromUTF16(packet, binary.BigEndian)
	case bytes.HasPrefix(packet, []byte{0xFF, 0xFE, 0, 0}), bytes.HasPrefix(packet, []byte{'<', 0, 0, 0}):
		packet = fromUTF32(packet, binary.LittleEndian)
	case bytes.HasPrefix(packet, []byte{0, 0, 0xFE, 0xFF}), bytes.HasPrefix(packet, []byte{0, 0, 0, '<'}):
		packet = fromUTF32(packet, binary.BigEndian)
	case bytes.HasPrefix(packet, []byte{0xFF, 0xFE}), bytes.HasPrefix(packet, []byte{'<', 0}):
		packet = fromUTF16(packet, binary.LittleEndian)
	}
	if !utf8.Valid(packet) {
		packet = []byte(decodeLatin(packet))
	}
	if start := bytes.IndexByte(packet, '<'); start > 0 {
		packet = packet[start:]
	}
	return bytes.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0xFFFE || r == 0xFFFF || r == 0xFEFF {
			return -1
		}
		return r
	}, packet)
}

func fromUTF16(data []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, 0, len(data)/2)
	for ; len(data) >= 2; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	return []byte(string(utf16.Decode(units)))
}

func fromUTF32(data []byte, order binary.ByteOrder) []byte {
	var text []byte
	for ; len(data) >= 4; data = data[4:] {
		text = utf8.AppendRune(text, rune(order.Uint32(data)))
	}
	return text
}

// fields gives the children of a name.
func (n *node) fields(name string) (found []*node) {
	for _, child := range n.children {
		if child.name == name {
			found = append(found, child)
		}
	}
	return found
}

// items gives the elements of a list, or the node itself where it is none.
func (n *node) items() []*node {
	for _, child := range n.children {
		if child.name == "rdf:Bag" || child.name == "rdf:Seq" || child.name == "rdf:Alt" {
			return child.fields("rdf:li")
		}
	}
	return []*node{n}
}

// all gives every text of the properties of some names, in their order.
func (n *node) all(names ...string) (found []string) {
	for _, name := range names {
		for _, property := range n.fields(name) {
			for _, item := range property.items() {
				if text := strings.TrimSpace(string(item.text)); text != "" {
					found = append(found, text)
				}
			}
		}
	}
	return found
}

// first gives the first text of the properties of some names: of several languages the
// one that is marked as the default.
func (n *node) first(names ...string) string {
	for _, name := range names {
		for _, property := range n.fields(name) {
			items := property.items()
			if at := slices.IndexFunc(items, func(item *node) bool { return item.language == "x-default" }); at > 0 {
				items[0], items[at] = items[at], items[0]
			}
			for _, item := range items {
				if text := strings.TrimSpace(string(item.text)); text != "" {
					return text
				}
			}
		}
	}
	return ""
}

// structs gives the structures in a list of a name.
func (n *node) structs(name string) (found []*node) {
	for _, property := range n.fields(name) {
		found = append(found, property.items()...)
	}
	return found
}
