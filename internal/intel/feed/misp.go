package feed

import (
	"crypto/sha1" //nolint:gosec // UUIDs of version 5 are made so; nothing is secured by it
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"xiezhi/internal/intel/indicator"
)

// attribute is MISP's word for an indicator. MISP writes numbers as texts.
type attribute struct {
	UUID      string `json:"uuid"`
	Type      string `json:"type"`
	Category  string `json:"category"`
	Value     string `json:"value"`
	ToIDs     bool   `json:"to_ids"`
	Comment   string `json:"comment"`
	Timestamp flex   `json:"timestamp"`
	First     string `json:"first_seen,omitempty"`
	Last      string `json:"last_seen,omitempty"`
	Deleted   bool   `json:"deleted"`
	Tag       []tag  `json:"Tag,omitempty"`
}

type tag struct {
	Name string `json:"name"`
}

// flex is a number that some write as a text.
type flex int64

func (f *flex) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64)
	*f = flex(n)
	return err
}

func (f flex) MarshalJSON() ([]byte, error) {
	return []byte(`"` + strconv.FormatInt(int64(f), 10) + `"`), nil
}

type event struct {
	UUID         string            `json:"uuid"`
	Info         string            `json:"info"`
	Date         string            `json:"date"`
	Timestamp    flex              `json:"timestamp"`
	ThreatLevel  string            `json:"threat_level_id"`
	Analysis     string            `json:"analysis"`
	Distribution string            `json:"distribution"`
	Published    bool              `json:"published"`
	Attribute    []json.RawMessage `json:"Attribute"`
	Object       []object          `json:"Object,omitempty"`
	Tag          []tag             `json:"Tag,omitempty"`
	Orgc         map[string]string `json:"Orgc,omitempty"`
}

type object struct {
	Attribute []json.RawMessage `json:"Attribute"`
}

// mispTypes are MISP's names of what we keep; the first of a type is written.
var mispTypes = []struct {
	name, category string
	t              indicator.Type
}{
	{"ip-src", "Network activity", indicator.Address}, {"ip-dst", "Network activity", indicator.Address}, {"ip", "Network activity", indicator.Address},
	{"ip-src", "Network activity", indicator.Network}, {"AS", "Network activity", indicator.System},
	{"ja4", "Network activity", indicator.Fingerprint}, {"user-agent", "Network activity", indicator.Tool},
	{"phone-number", "Person", indicator.Phone}, {"url", "Network activity", indicator.URL},
	{"bin", "Financial fraud", indicator.BIN}, {"domain", "Network activity", indicator.Domain},
}

// misp reads an event, a list of them, or the answer of a search.
func (r *Result) misp(data []byte, o *Options) error {
	if nested(data) {
		return fmt.Errorf("%s: it is nested more than %d deep", o.Name, maxDepth)
	}
	type wrapped struct {
		Event    *event          `json:"Event"`
		Response json.RawMessage `json:"response"`
	}
	var one wrapped
	var list []wrapped
	if err := json.Unmarshal(data, &one); err != nil {
		if err := json.Unmarshal(data, &list); err != nil {
			return place(o.Name, data, err)
		}
	} else if len(one.Response) > 0 {
		if err := json.Unmarshal(one.Response, &list); err != nil {
			var search struct {
				Attribute []json.RawMessage `json:"Attribute"`
			}
			if err := json.Unmarshal(one.Response, &search); err != nil {
				return place(o.Name, one.Response, err)
			}
			one.Event = &event{Attribute: search.Attribute}
		}
	}
	if one.Event != nil {
		list = append(list, one)
	}
	for _, w := range list {
		if w.Event == nil {
			r.refuse(indicator.Malformed)
			continue
		}
		e := w.Event
		for _, a := range e.Attribute {
			r.attribute(a, e, o)
		}
		for _, ob := range e.Object {
			for _, a := range ob.Attribute {
				r.attribute(a, e, o)
			}
		}
	}
	return nil
}

const tagPrefix = "xiezhi:"

func (r *Result) attribute(raw []byte, e *event, o *Options) {
	var a attribute
	if json.Unmarshal(raw, &a) != nil {
		r.refuse(indicator.Malformed)
		return
	}
	x := indicator.Indicator{Value: a.Value, TLP: o.TLP, Note: a.Comment}
	for _, m := range mispTypes {
		if m.name == a.Type && x.Type == 0 {
			x.Type = m.t
		}
	}
	if a.Type == "ja4" {
		x.Value = "ja4:" + a.Value
	}
	var confidence, sightings int64
	for _, t := range append(append([]tag{}, e.Tag...), a.Tag...) { // an attribute's tags outweigh its event's
		if level, ok := indicator.ParseTLP(t.Name); ok && strings.HasPrefix(strings.ToLower(t.Name), "tlp:") {
			x.TLP = level
		}
		name, v, _ := strings.Cut(strings.TrimPrefix(t.Name, tagPrefix), "=")
		if !strings.HasPrefix(t.Name, tagPrefix) {
			continue
		}
		v = strings.Trim(v, `"`)
		switch name {
		case "type":
			x.Type, _ = indicator.ParseType(v)
			x.Value = a.Value
		case "tag":
			x.Tags |= indicator.ParseTags([]string{v})
		case "confidence":
			confidence, _ = strconv.ParseInt(v, 10, 8)
		case "sightings":
			sightings, _ = strconv.ParseInt(v, 10, 33)
		case "until":
			if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
				x.Until, _ = nanos(t)
			}
		}
	}
	if x.Type == 0 {
		r.refuse(indicator.Unknown)
		return
	}
	if a.Deleted {
		if v, err := indicator.Canonical(x.Type, x.Value, o.Hash); err == nil {
			r.Gone = append(r.Gone, indicator.Key{Type: x.Type, Value: v})
		}
		return
	}
	ok := [2]bool{true, true}
	if t, err := time.Parse(time.RFC3339Nano, a.First); err == nil {
		x.First, ok[0] = nanos(t)
	}
	if t, err := time.Parse(time.RFC3339Nano, a.Last); err == nil {
		x.Last, ok[1] = nanos(t)
	} else if a.Timestamp > 0 {
		x.Last, ok[1] = nanos(time.Unix(int64(a.Timestamp), 0))
	}
	if ok != [2]bool{true, true} || confidence < 0 || confidence > 100 || sightings < 0 || sightings > 1<<32-1 {
		r.refuse(indicator.Malformed)
		return
	}
	if x.First == 0 || x.First > x.Last {
		x.First = x.Last
	}
	x.Confidence, x.Sightings = uint8(confidence), uint32(sightings)
	r.add(o, x)
}

func encodeMISP(w io.Writer, rows []indicator.Indicator, o Out) error {
	e := event{Info: o.Who + " intelligence", Date: moment(o.Now).Format(time.DateOnly), Timestamp: flex(o.Now / 1e9), ThreatLevel: "2", Analysis: "2", Distribution: "0",
		UUID: uuid5("misp event", o.Who, strconv.FormatInt(o.Now, 10)), Attribute: []json.RawMessage{}, Orgc: map[string]string{"name": o.Who, "uuid": uuid5("identity", o.Who)}}
	for i := range rows {
		x := &rows[i]
		a := attribute{UUID: uuid5("misp", x.Type.String(), x.Value), Type: "other", Category: "Other", Value: x.Value, ToIDs: x.Type == indicator.Address || x.Type == indicator.Network,
			Comment: x.Note, Timestamp: flex(x.Last / 1e9), First: moment(x.First).Format(time.RFC3339Nano), Last: moment(x.Last).Format(time.RFC3339Nano)}
		for _, m := range mispTypes {
			if m.t == x.Type && a.Type == "other" && x.Type != indicator.Fingerprint && x.Type != indicator.Tool && x.Type != indicator.Phone {
				a.Type, a.Category = m.name, m.category
			}
		}
		put := func(name, v string) { a.Tag = append(a.Tag, tag{tagPrefix + name + `="` + v + `"`}) }
		put("type", x.Type.String())
		put("confidence", strconv.Itoa(int(x.Confidence)))
		put("sightings", strconv.FormatUint(uint64(x.Sightings), 10))
		for _, n := range x.Tags.Names() {
			put("tag", n)
		}
		if x.Until != 0 {
			put("until", moment(x.Until).Format(time.RFC3339Nano))
		}
		a.Tag = append(a.Tag, tag{"tlp:" + x.TLP.String()})
		raw, err := json.Marshal(&a)
		if err != nil {
			return err
		}
		e.Attribute = append(e.Attribute, raw)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(map[string]any{"Event": &e})
}

// space is the namespace of the UUIDs that are made of names here.
var space = [16]byte{0x8d, 0x52, 0x0e, 0x11, 0x6a, 0x3c, 0x4f, 0x0b, 0x9e, 0x27, 0x51, 0xc4, 0x5a, 0x60, 0x7f, 0x1d}

// uuid5 makes the same UUID of the same names, so that writing again is no news.
func uuid5(names ...string) string {
	h := sha1.New() //nolint:gosec // see above
	h.Write(space[:])
	for _, n := range names {
		fmt.Fprintf(h, "%d:%s", len(n), n)
	}
	b := h.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
