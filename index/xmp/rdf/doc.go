// Package rdf reads and changes XMP: properties of one picture as RDF, in XML. What it is not asked to change stays as it
// is: other properties and namespaces, qualifiers, comments, processing instructions, the order of all of it.
//
//	<x:xmpmeta xmlns:x="adobe:ns:meta/">
//	 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
//	  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/>
//	 </rdf:RDF>
//	</x:xmpmeta>
//
// The forms of properties are those of ISO 16684-1:2012, section 7: a simple value is an attribute of rdf:Description or
// an element, a list is rdf:Bag, rdf:Seq or rdf:Alt in an element.
package rdf
