package xlsx

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/xml"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// How the library and everybody else refer to a sheet's drawing. Cells cannot
// hold either: their "<" is escaped.
const (
	libraryDrawing = `<drawing xmlns:relationships="http://schemas.openxmlformats.org/officeDocument/2006/relationships" relationships:id=`
	usualDrawing   = `<drawing xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id=`
)

const (
	contentTypes   = "[Content_Types].xml"
	coreProperties = "docProps/core.xml"
)

// types is the part that lists what the others are.
type types struct {
	XMLName  xml.Name   `xml:"http://schemas.openxmlformats.org/package/2006/content-types Types"`
	Defaults []typeLine `xml:"Default"`
	Parts    []typeLine `xml:"Override"`
}

type typeLine struct {
	Extension   string `xml:"Extension,attr,omitempty"`
	PartName    string `xml:"PartName,attr,omitempty"`
	ContentType string `xml:"ContentType,attr"`
}

// never is the time that all parts carry: the time of making would make two
// files of one report differ.
var never = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// ordered copies a package with its parts, and the list of them, in one
// order: the library writes both in the order of a map.
func ordered(w io.Writer, raw []byte) error {
	in, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return err
	}
	slices.SortFunc(in.File, func(a, b *zip.File) int { return cmp.Compare(a.Name, b.Name) }) // the list of types comes first
	out := zip.NewWriter(w)
	for _, f := range in.File {
		part, err := fs.ReadFile(in, f.Name)
		if err != nil {
			return err
		}
		switch f.Name {
		case contentTypes:
			if part, err = orderTypes(part); err != nil {
				return err
			}
		case coreProperties:
			part = prefixed(part)
		default:
			part = bytes.Replace(part, []byte(libraryDrawing), []byte(usualDrawing), 1)
		}
		to, err := out.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: never})
		if err != nil {
			return err
		}
		if _, err := to.Write(part); err != nil {
			return err
		}
	}
	return out.Close()
}

func orderTypes(part []byte) ([]byte, error) {
	var t types
	if err := xml.Unmarshal(part, &t); err != nil {
		return nil, err
	}
	for _, l := range [][]typeLine{t.Defaults, t.Parts} {
		slices.SortFunc(l, func(a, b typeLine) int {
			return cmp.Or(cmp.Compare(a.Extension, b.Extension), cmp.Compare(a.PartName, b.PartName))
		})
	}
	b, err := xml.Marshal(t)
	return append([]byte(xml.Header), b...), err
}

// prefixed gives the core properties the prefix that every other writer uses:
// readers exist that know elements by it and not by their name space.
func prefixed(part []byte) []byte {
	return []byte(strings.NewReplacer("<coreProperties xmlns=", "<cp:coreProperties xmlns:cp=", "</coreProperties>", "</cp:coreProperties>",
		"<lastModifiedBy></lastModifiedBy>", "").Replace(string(part)))
}
