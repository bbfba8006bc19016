package rdf

import (
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// Name is the name of a property.
type Name struct {
	// Space is its namespace, and Prefix how that is usually called.
	Space, Prefix, Local string
}

// Container is the kind of a list.
type Container string

// The kinds of lists.
const (
	Bag Container = "Bag" // in no order
	Seq Container = "Seq" // in order
	Alt Container = "Alt" // one text in several languages
)

// defaultLanguage marks the text of an Alt that is for everybody.
const defaultLanguage = "x-default"

// Text gives the first value of a property: of several languages the one that is marked as the default.
func (d *Document) Text(name Name) (text string, there bool) {
	for _, top := range d.descriptions() {
		if a := attribute(top, name.Space, name.Local); a != nil {
			return a.Value, true
		}
		for _, property := range properties(top, name) {
			list := container(property)
			if list == nil {
				return value(property), true
			}
			items := items(list)
			if at := slices.IndexFunc(items, isDefault); at >= 0 {
				return value(items[at]), true
			}
			if len(items) > 0 {
				return value(items[0]), true
			}
		}
	}
	return "", false
}

// List gives the values of a property.
func (d *Document) List(name Name) (texts []string) {
	for _, top := range d.descriptions() {
		if a := attribute(top, name.Space, name.Local); a != nil {
			texts = append(texts, a.Value)
		}
		for _, property := range properties(top, name) {
			list := container(property)
			if list == nil {
				texts = append(texts, value(property))
				continue
			}
			for _, item := range items(list) {
				texts = append(texts, value(item))
			}
		}
	}
	return texts
}

// SetText gives a property one plain value.
func (d *Document) SetText(name Name, text string) {
	for _, top := range d.descriptions() {
		if a := attribute(top, name.Space, name.Local); a != nil {
			a.Value = text
			d.removeElements(name)
			return
		}
	}
	element := d.one(name)
	if container(element) != nil || len(element.ChildElements()) > 0 || attribute(element, Space, "resource") != nil {
		element = empty(element)
	}
	setText(element, text)
}

// SetLanguage gives a property its text for everybody, and leaves those of languages as they are.
func (d *Document) SetLanguage(name Name, text string) {
	list := d.list(name, Alt)
	all := items(list)
	at := slices.IndexFunc(all, isDefault)
	if at < 0 && len(all) > 0 && attribute(all[0], xmlSpace, "lang") == nil {
		at = 0
		all[0].CreateAttr("xml:lang", defaultLanguage)
	}
	var item *etree.Element
	switch {
	case at < 0:
		item = etree.NewElement(join(list.Space, "li"))
		list.InsertChildAt(0, item)
		item.CreateAttr("xml:lang", defaultLanguage)
	case len(all[at].ChildElements()) > 0:
		item = empty(all[at])
		item.CreateAttr("xml:lang", defaultLanguage)
	default:
		item = all[at]
	}
	setText(item, text)
}

// Add adds values to a list, which is made where there is none.
func (d *Document) Add(name Name, kind Container, texts ...string) {
	if len(texts) == 0 {
		return
	}
	list := d.list(name, kind)
	for _, text := range texts {
		setText(list.CreateElement(join(list.Space, "li")), text)
	}
}

// RemoveItems removes values from a list, and the property with its last one.
func (d *Document) RemoveItems(name Name, texts ...string) {
	for _, top := range d.descriptions() {
		if a := attribute(top, name.Space, name.Local); a != nil && slices.Contains(texts, a.Value) {
			top.RemoveAttr(a.FullKey())
		}
		for _, property := range properties(top, name) {
			list := container(property)
			if list == nil {
				if slices.Contains(texts, value(property)) {
					remove(property)
				}
				continue
			}
			left := 0
			for _, item := range items(list) {
				if slices.Contains(texts, value(item)) {
					remove(item)
				} else {
					left++
				}
			}
			if left == 0 {
				remove(property)
			}
		}
	}
}

// Remove removes a property, in all its forms.
func (d *Document) Remove(name Name) {
	for _, top := range d.descriptions() {
		if a := attribute(top, name.Space, name.Local); a != nil {
			top.RemoveAttr(a.FullKey())
		}
	}
	d.removeElements(name)
}

// RemoveLanguage removes the text for everybody, and the property where there is no other.
func (d *Document) RemoveLanguage(name Name) {
	for _, top := range d.descriptions() {
		for _, property := range properties(top, name) {
			list := container(property)
			if list == nil {
				continue
			}
			all := items(list)
			if at := slices.IndexFunc(all, isDefault); at >= 0 && len(all) > 1 {
				remove(all[at])
				return
			}
		}
	}
	d.Remove(name)
}

func (d *Document) removeElements(name Name) {
	for _, top := range d.descriptions() {
		for _, property := range properties(top, name) {
			remove(property)
		}
	}
}

// descriptions gives the elements that have the picture's properties.
func (d *Document) descriptions() (found []*etree.Element) {
	for _, child := range d.rdf.ChildElements() {
		if is(child, Space, "Description") {
			found = append(found, child)
		}
	}
	return found
}

// properties gives the elements of a description that are of a name.
func properties(top *etree.Element, name Name) (found []*etree.Element) {
	for _, child := range top.ChildElements() {
		if is(child, name.Space, name.Local) {
			found = append(found, child)
		}
	}
	return found
}

// container gives the list in an element, or nil.
func container(element *etree.Element) *etree.Element {
	for _, child := range element.ChildElements() {
		for _, kind := range []Container{Bag, Seq, Alt} {
			if is(child, Space, string(kind)) {
				return child
			}
		}
	}
	return nil
}

func items(list *etree.Element) (found []*etree.Element) {
	for _, child := range list.ChildElements() {
		if is(child, Space, "li") {
			found = append(found, child)
		}
	}
	return found
}

// value gives the text of an element, which may have qualifiers beside it.
func value(element *etree.Element) string {
	for range maximumDepth {
		if a := attribute(element, Space, "resource"); a != nil {
			return a.Value
		}
		if a := attribute(element, Space, "value"); a != nil {
			return a.Value
		}
		children := element.ChildElements()
		at := slices.IndexFunc(children, func(c *etree.Element) bool { return is(c, Space, "value") || is(c, Space, "Description") })
		if at < 0 {
			break
		}
		element = children[at]
	}
	return text(element)
}

// text joins what stands in an element, between its children too.
func text(element *etree.Element) string {
	var all strings.Builder
	for _, child := range element.Child {
		if data, ok := child.(*etree.CharData); ok {
			all.WriteString(data.Data)
		}
	}
	return strings.TrimSpace(all.String())
}

func setText(element *etree.Element, text string) {
	for at := len(element.Child) - 1; at >= 0; at-- {
		if _, ok := element.Child[at].(*etree.CharData); ok {
			element.RemoveChildAt(at)
		}
	}
	element.InsertChildAt(0, etree.NewText(text))
}

func isDefault(item *etree.Element) bool {
	a := attribute(item, xmlSpace, "lang")
	return a != nil && strings.EqualFold(a.Value, defaultLanguage)
}

// remove takes an element out, with the blanks before it.
func remove(element *etree.Element) {
	parent, at := element.Parent(), element.Index()
	parent.RemoveChildAt(at)
	if at > 0 {
		if before, ok := parent.Child[at-1].(*etree.CharData); ok && before.IsWhitespace() {
			parent.RemoveChildAt(at - 1)
		}
	}
}

// empty puts an element of the same name in another's place, with nothing in it.
func empty(element *etree.Element) *etree.Element {
	parent, at := element.Parent(), element.Index()
	fresh := etree.NewElement(join(element.Space, element.Tag))
	for i := range element.Attr { // what it declares may be its own name's
		if a := &element.Attr[i]; a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns" {
			fresh.CreateAttr(a.FullKey(), a.Value)
		}
	}
	parent.RemoveChildAt(at)
	parent.InsertChildAt(at, fresh)
	return fresh
}

// one gives the element of a property, of which there is only one afterwards; it is made where there is none.
func (d *Document) one(name Name) *etree.Element {
	var first *etree.Element
	for _, top := range d.descriptions() {
		for _, property := range properties(top, name) {
			if first == nil {
				first = property
			} else {
				remove(property)
			}
		}
	}
	if first == nil {
		top := d.description()
		first = add(top, join(prefixAt(top, name.Space, name.Prefix), name.Local), 3)
	}
	return first
}

// list gives the list of a property, which becomes one where it is none; a single value becomes its first.
func (d *Document) list(name Name, kind Container) *etree.Element {
	var values []string
	for _, top := range d.descriptions() {
		if a := attribute(top, name.Space, name.Local); a != nil {
			values = append(values, a.Value)
			top.RemoveAttr(a.FullKey())
		}
		for _, property := range properties(top, name) {
			if list := container(property); list != nil && (kind == Alt) == is(list, Space, string(Alt)) {
				for _, text := range values {
					setText(list.CreateElement(join(list.Space, "li")), text)
				}
				return list
			}
		}
	}
	for _, top := range d.descriptions() {
		for _, property := range properties(top, name) {
			if list := container(property); list != nil {
				for _, item := range items(list) {
					values = append(values, value(item))
				}
			} else if text := value(property); text != "" {
				values = append(values, text)
			}
		}
	}
	element := empty(d.one(name))
	prefix := prefixAt(element, Space, "rdf")
	list := element.CreateElement(join(prefix, string(kind)))
	for _, text := range values {
		setText(list.CreateElement(join(prefix, "li")), text)
	}
	return list
}

// description gives the element to which properties are added.
func (d *Document) description() *etree.Element {
	if all := d.descriptions(); len(all) > 0 {
		return all[0]
	}
	prefix := prefixAt(d.rdf, Space, "rdf")
	top := add(d.rdf, join(prefix, "Description"), 2)
	top.CreateAttr(prefix+":about", "")
	return top
}

// add adds a child on a line of its own.
func add(parent *etree.Element, tag string, depth int) *etree.Element {
	child := etree.NewElement(tag)
	at := len(parent.Child)
	if at > 0 {
		if last, ok := parent.Child[at-1].(*etree.CharData); ok && last.IsWhitespace() {
			at--
		}
	}
	parent.InsertChildAt(at, blanks("\n"+strings.Repeat(" ", depth)))
	parent.InsertChildAt(at+1, child)
	if at+2 == len(parent.Child) {
		parent.AddChild(blanks("\n" + strings.Repeat(" ", depth-1)))
	}
	return child
}

// blanks make a text that is known to be nothing but layout.
func blanks(text string) *etree.CharData {
	data := etree.NewText("")
	data.SetData(text)
	return data
}
