package exchange

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"xiezhi/schema"
)

func harlSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	raw, err := schema.FS.ReadFile("harl.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("harl.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("harl.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t interface{ Fatal(...any) }, s *jsonschema.Schema, raw []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

func TestSchemaAcceptsOurEntries(t *testing.T) {
	s := harlSchema(t)
	var enc HAREncoder
	rapid.Check(t, func(t *rapid.T) {
		x := genExchange(t)
		if raw := enc.Append(nil, x); validate(t, s, raw) != nil {
			t.Fatalf("%v in %s", validate(t, s, raw), raw)
		}
	})
	for _, x := range []*Exchange{{Method: []byte("GET")}, {Method: []byte("GET"), Status: 200, Response: Message{BodySize: -1}}, benchEntry()} {
		if err := validate(t, s, enc.Append(nil, x)); err != nil {
			t.Error(err)
		}
	}
}

// Whatever the decoder refuses for its form, the schema refuses too.
func TestSchemaRefusesMalformed(t *testing.T) {
	s := harlSchema(t)
	const ok = `"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"http://a/"}`
	if err := validate(t, s, []byte("{"+ok+"}")); err != nil {
		t.Fatal(err)
	}
	for _, raw := range []string{
		`[]`, `{}`, `{"startedDateTime":"2022-04-01T00:00:00Z"}`,
		`{"startedDateTime":"yesterday","request":{"method":"GET","url":"http://a/"}}`,
		`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET"}}`,
		`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"","url":"http://a/"}}`,
		`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":1,"url":"http://a/"}}`,
		`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"http://a/","headers":[{"name":"a","value":1}]}}`,
		`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"http://a/","headers":[{"value":"a"}]}}`,
		`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"http://a/","postData":{"text":"a","encoding":"rot13"}}}`,
		`{` + ok + `,"response":{"status":"200"}}`, `{` + ok + `,"response":{"status":1000}}`, `{` + ok + `,"time":"1"}`,
		`{` + ok + `,"_id":7}`, `{` + ok + `,"_client":{"ip":"1.2.3"}}`, `{` + ok + `,"_client":{"ip":"1.2.3.4","port":65536}}`,
		`{` + ok + `,"_server":{"port":1}}`, `{` + ok + `,"_truncated":{"request":-1}}`, `{` + ok + `,"response":{"content":{"size":"1"}}}`,
	} {
		if validate(t, s, []byte(raw)) == nil {
			t.Errorf("schema accepts %s", raw)
		}
		var d HARDecoder
		if d.Decode([]byte(raw), new(Exchange)) == nil && raw != `{`+ok+`,"_server":{"port":1}}` {
			t.Errorf("decoder accepts %s", raw)
		}
	}
}
