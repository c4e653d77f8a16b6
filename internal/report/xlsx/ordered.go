package xlsx

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/xml"
	"io"
	"slices"
)

const contentTypes = "[Content_Types].xml"

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
		if f.Name == contentTypes {
			err = copyTypes(out, f)
		} else {
			err = out.Copy(f)
		}
		if err != nil {
			return err
		}
	}
	return out.Close()
}

func copyTypes(out *zip.Writer, f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	var t types
	if err := xml.NewDecoder(r).Decode(&t); err != nil {
		return err
	}
	for _, l := range [][]typeLine{t.Defaults, t.Parts} {
		slices.SortFunc(l, func(a, b typeLine) int {
			return cmp.Or(cmp.Compare(a.Extension, b.Extension), cmp.Compare(a.PartName, b.PartName))
		})
	}
	b, err := xml.Marshal(t)
	if err != nil {
		return err
	}
	w, err := out.Create(contentTypes)
	if err != nil {
		return err
	}
	_, err = w.Write(append([]byte(xml.Header), b...))
	return err
}
