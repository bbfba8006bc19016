// Package words finds which words of a query stand in the captions and names of a record.
// Words of grammar, and those that every picture's path could have, are left out. A name
// is what people gave a record: its file and folders, title, keywords, tags, people, and
// so on; the words in a picture count as names too.
package words
